// Which triggers let somebody in whom the repository does not know.

// Whoever may comment triggers these; they run with the rights of the default branch.
const ALWAYS = new Set([
  'pull_request_target',
  'issue_comment',
  'commit_comment',
  'discussion',
  'discussion_comment'
])

/** Return why this trigger is not to be trusted, '' if it is. `repository` is OWNER/NAME. */
export function untrusted(event, payload, repository) {
  if (ALWAYS.has(event)) return `${event} runs for anybody`
  if (event === 'workflow_run') {
    // What it follows may have left something for it to read.
    const followed = payload.workflow_run?.event
    if (ALWAYS.has(followed)) return `workflow_run of ${followed}, which runs for anybody`
    if (followed === 'workflow_run') return 'workflow_run of another workflow_run'
    const head = payload.workflow_run?.head_repository?.full_name
    return head === repository ? '' : `workflow_run of ${head ?? 'a repository that is gone'}`
  }
  if (event?.startsWith('pull_request') || payload.pull_request) {
    const head = payload.pull_request?.head?.repo?.full_name
    return head === repository ? '' : `a pull request from ${head ?? 'a fork that is gone'}`
  }
  return ''
}
