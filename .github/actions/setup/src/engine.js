// The engine: from the Actions cache when it can be had there, else installed.
import * as cache from '@actions/cache'
import * as core from '@actions/core'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { p2pcache, run } from './command.js'
import { within } from './deadline.js'

const RESTORE = 60 // seconds, after which an installation is the shorter way
const SAVE = 60

/**
 * Have an engine; returns { from, folders, key }. `from`: restored, installed, there, or given (by
 * GH_P2PCACHE_ENGINE). `folders` is what `saveEngine` is to keep under `key`, [] for nothing.
 */
export async function setUpEngine(mayCache) {
  if (process.env.GH_P2PCACHE_ENGINE) return { from: 'given', folders: [], key: '' }
  const folders = (await run('install.sh', ['--folders'], { quiet: true })).trim().split('\n')
  // Their names say all that their content depends on, Python and machine included.
  const key = ['gh-p2pcache-engine', os.platform(), ...folders.map((f) => path.basename(f))].join('-')
  let from = folders.every((folder) => fs.existsSync(folder)) ? 'there' : 'installed'
  if (from === 'installed' && mayCache && (await restored(folders, key))) from = 'restored'
  await p2pcache(['setup'])
  return { from, folders: from === 'installed' && mayCache ? folders : [], key }
}

/** Keep an engine that was installed. */
export async function saveEngine({ folders, key }) {
  const whole = folders.filter((folder) => fs.existsSync(folder))
  if (folders.length === 0 || whole.length < folders.length) return // without peers: the next run tries again
  const saved = await within(SAVE, 'keeping the engine', cache.saveCache(folders, key))
  if (saved < 0) return // it has said why
  core.info(`The engine is kept as ${key}`)
}

async function restored(folders, key) {
  try {
    const found = cache.restoreCache([...folders], key)
    return (await within(RESTORE, 'the Actions cache', found)) !== undefined
  } catch (error) {
    core.warning(`the engine is not restored: ${error.message}`)
    return false
  }
}
