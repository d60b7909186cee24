// The post step: what the cache did, and an orderly end.
import * as core from '@actions/core'
import { p2pcache } from './command.js'
import { saveEngine } from './engine.js'
import { saveStore } from './store.js'
import { difference, read, table } from './summary.js'

export async function post() {
  const said = core.getState('job')
  if (!said) return // the set-up did not get so far
  const job = JSON.parse(said)
  Object.assign(process.env, job.wanted)
  let news = 0
  if (job.started) {
    await apart('what it did is not known', async () => {
      news = await tell(difference(job.before, await read()), job.summary)
    })
  }
  if (!job.keepRunning) await apart('its end was not clean', () => end(job))
  await apart('the engine is not kept', () => saveEngine(job.engine))
  if (job.keepsStore && news > 0) {
    await apart('the store is not kept', () => saveStore(job.wanted.CACHE_DIR, job.folder))
  }
}

/** Do one part; one that fails keeps none of the others from being done. */
async function apart(consequence, part) {
  try {
    await part()
  } catch (error) {
    core.warning(`gh-p2pcache: ${consequence}: ${error.message}`)
  }
}

/** Say what the cache did; returns how many answers it learned. */
async function tell(did, summary) {
  core.info(`${did.calls} calls of gh, of which ${did.saved} cost nothing of GitHub's rate limit`)
  if (summary && process.env.GITHUB_STEP_SUMMARY) {
    await core.summary.addHeading('gh-p2pcache', 3).addTable(table(did)).write()
  }
  return did.miss + did.peer
}

/** Leave nothing behind on the machine: no daemon, no secret of a team. */
async function end(job) {
  if (job.started) await p2pcache(['stop'])
  for (const name of job.teams) await p2pcache(['team', 'leave', name])
}
