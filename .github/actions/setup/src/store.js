// The sealed store in the Actions cache: restored by prefix, saved under a new key each time.
import * as cache from '@actions/cache'
import * as core from '@actions/core'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { within } from './deadline.js'
import { PARTS, paths } from './parts.js'

const PREFIX = 'gh-p2pcache-store-2-'
const RESTORE = 45 // seconds; what the store has is asked of GitHub otherwise
const SAVE = 60

/** Restore the newest store; returns its key, '' for none. `folder`, where paths start: see `paths`. */
export async function restoreStore(store, folder) {
  try {
    fs.mkdirSync(path.join(store, PARTS[0]), { recursive: true, mode: 0o700 }) // as the daemon makes it
    const found = at(folder, () => cache.restoreCache(paths(store, folder), PREFIX + 'none', [PREFIX]))
    const key = await within(RESTORE, 'the Actions cache', found)
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
  const saving = at(folder, () => cache.saveCache(paths(store, folder), key))
  if ((await within(SAVE, 'keeping the store', saving)) < 0) return // it has said why
  core.info(`The store is kept as ${key}`)
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
