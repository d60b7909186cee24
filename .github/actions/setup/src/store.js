// The sealed store in the Actions cache: restored by prefix, saved under a new key each time.
import * as cache from '@actions/cache'
import * as core from '@actions/core'
import { randomBytes } from 'node:crypto'
import path from 'node:path'

const PREFIX = 'gh-p2pcache-store-1-'

/** Restore the newest store; returns its key, '' for none. `folder`, where paths start: see `at`. */
export async function restoreStore(store, folder) {
  try {
    const key = await at(folder, () => cache.restoreCache([named(store, folder)], PREFIX + 'none', [PREFIX]))
    core.info(key ? `The store of ${key} is restored` : 'There is no store to restore yet')
    return key ?? ''
  } catch (error) {
    core.warning(`the store is not restored: ${error.message}`)
    return ''
  }
}

/** Save the store under a key that nobody has: an entry of the Actions cache never changes. */
export async function saveStore(store, folder, env = process.env) {
  const parts = [env.GITHUB_RUN_ID, env.GITHUB_RUN_ATTEMPT, env.GITHUB_JOB, randomBytes(4).toString('hex')]
  const key = PREFIX + parts.filter(Boolean).join('-')
  await at(folder, () => cache.saveCache([named(store, folder)], key))
  core.info(`The store is kept as ${key}`)
}

// The names of paths are part of what an entry is found by: a store in the runner's temporary
// folder, which is elsewhere on each runner, goes by its name there.
function named(store, folder) {
  const relative = path.relative(folder, store)
  return relative.startsWith('..') ? store : relative
}

async function at(folder, work) {
  const before = process.cwd()
  process.chdir(folder)
  try {
    return await work()
  } finally {
    process.chdir(before)
  }
}
