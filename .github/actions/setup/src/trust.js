// Which triggers let somebody in whom the repository does not know.

const ALWAYS = new Set(['pull_request_target', 'issue_comment'])

/** Return why this trigger is not to be trusted, '' if it is. `repository` is OWNER/NAME. */
export function untrusted(event, payload, repository) {
  if (ALWAYS.has(event)) return `${event} runs for anybody`
  if (event === 'workflow_run') {
    const head = payload.workflow_run?.head_repository?.full_name
    return head === repository ? '' : `workflow_run of ${head ?? 'a repository that is gone'}`
  }
  if (payload.pull_request) {
    const head = payload.pull_request.head?.repo?.full_name
    return head === repository ? '' : `a pull request from ${head ?? 'a fork that is gone'}`
  }
  return ''
}
