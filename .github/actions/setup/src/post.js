// The post step: what the cache did, and an orderly end.
import * as core from '@actions/core'
import fs from 'node:fs'
import { p2pcache } from './command.js'
import { saveEngine } from './engine.js'
import { saveStore } from './store.js'
import { difference, read, table } from './summary.js'

export async function post() {
  const said = core.getState('job')
  if (!said) return // the set-up did not get so far
  const { folder, engine, keepRunning, wanted, keepsStore, before } = JSON.parse(said)
  Object.assign(process.env, wanted)
  const did = difference(before, await read())
  const { calls, saved } = did
  core.info(`${calls} calls of gh, of which ${saved} cost nothing of GitHub's rate limit`)
  if (core.getInput('summary') === 'true' && process.env.GITHUB_STEP_SUMMARY) {
    await core.summary.addHeading('gh-p2pcache', 3).addTable(table(did)).write()
  }
  if (!keepRunning) {
    await p2pcache(['stop'])
    const link = core.getState('extension')
    if (link) fs.rmSync(link, { force: true })
  }
  await saveEngine(engine)
  const news = did.miss + did.peer
  if (keepsStore && news > 0) await saveStore(wanted.CACHE_DIR, folder)
}
