// The main step: everything that makes gh go through the cache in the steps that follow.
import * as core from '@actions/core'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ROOT, p2pcache } from './command.js'
import { setUpEngine } from './engine.js'
import { patterns, settings, withoutFile, yes } from './settings.js'
import { restoreStore } from './store.js'
import { NOTHING, read } from './summary.js'
import { untrusted } from './trust.js'

const TEAM = 'workflow'

export async function main() {
  const began = Date.now()
  core.saveState('phase', 'post')
  core.setOutput('ready', false)
  if (process.platform === 'win32') throw new Error('Windows is not supported')
  const invite = masked('invite')
  const secret = masked('secret')
  const alone = !isTrusted()
  const keepRunning = !alone && flag('keep-running')
  const folder = path.join(process.env.RUNNER_TEMP || os.tmpdir(), 'gh-p2pcache')
  fs.mkdirSync(folder, { recursive: true })
  const wanted = settings(core.getInput, process.env, { folder, keepRunning, alone })
  Object.assign(process.env, wanted)

  const inTeam = !alone && (invite || secret)
  const keepsStore = Boolean(inTeam) && !keepRunning && flag('store')
  sayWhoShares(alone, inTeam, keepsStore)
  const summary = flag('summary')
  const [engine, store] = await Promise.all([
    setUpEngine(!alone && flag('engine-cache')),
    keepsStore ? restoreStore(wanted.CACHE_DIR, folder) : ''
  ])
  const job = { folder, keepRunning, wanted, keepsStore, summary, engine, teams: [], started: false, before: NOTHING }
  core.saveState('job', job)
  if (inTeam) {
    const had = keepRunning ? [] : await teams()
    await join(invite, secret)
    job.teams = keepRunning ? [] : (await teams()).filter((name) => !had.includes(name))
    core.saveState('job', job)
  }
  // At the end of a job the runner ends every process that has its job's value.
  const lasting = keepRunning ? { RUNNER_TRACKING_ID: '' } : {}
  await p2pcache(['start'], { env: alone ? withoutFile(process.env, folder) : lasting })
  job.started = true
  core.saveState('job', job)
  if (keepRunning) job.before = await read()
  core.saveState('job', job)
  hand(folder, wanted)

  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  const outputs = { ready: true, seconds, engine: engine.from, store, trusted: !alone }
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value)
  core.info(`gh goes through the cache: set up in ${seconds} s (engine: ${engine.from})`)
}

function flag(name) {
  return yes(name, core.getInput(name))
}

function masked(name) {
  const value = core.getInput(name)
  if (value) core.setSecret(value)
  return value
}

function isTrusted() {
  const event = process.env.GITHUB_EVENT_PATH
  const payload = event && fs.existsSync(event) ? JSON.parse(fs.readFileSync(event, 'utf8')) : {}
  const why = untrusted(process.env.GITHUB_EVENT_NAME, payload, process.env.GITHUB_REPOSITORY)
  if (!why) return true
  const allowed = flag('allow-untrusted')
  const so = allowed
    ? 'allow-untrusted has it treated like any other'
    : 'the cache is of this job alone. No team is joined, nothing is restored or saved'
  core.notice(`gh-p2pcache: ${why}: ${so}`)
  return allowed
}

function sayWhoShares(alone, inTeam, keepsStore) {
  if (alone || keepsStore || !flag('store')) return
  if (!inTeam) core.info('Without a team the store is sealed with the token of this job: it is not kept')
}

// By files of the daemon, not its environment: the following steps don't have the secret, and a
// call whose secret differs from the daemon's goes past it.
async function join(invite, secret) {
  const own = { PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring' }
  if (invite) {
    await p2pcache(['team', 'join', '-'], { given: invite, env: own })
    return
  }
  const share = patterns(core.getInput('share'), process.env.GITHUB_REPOSITORY)
  const named = share.flatMap((pattern) => ['--share', pattern])
  const env = { ...own, GH_HOST: new URL(process.env.GITHUB_SERVER_URL ?? 'https://github.com').host }
  const joining = () => p2pcache(['team', 'join', '-', '--secret', TEAM, ...named], { given: secret, env })
  try {
    await joining()
  } catch (error) {
    if (!(await teams()).includes(TEAM)) throw error
    await p2pcache(['team', 'leave', TEAM]) // the secret is another one than an earlier job's
    await joining()
  }
}

async function teams() {
  const joined = JSON.parse(await p2pcache(['team', 'list', '--json'], { quiet: true }))
  return joined.map((team) => team.name)
}

/** Give the following steps the commands and the settings. */
function hand(folder, wanted) {
  const shim = path.join(folder, 'shim')
  fs.mkdirSync(shim, { recursive: true })
  for (const name of ['gh', 'git-ghapi']) {
    const link = path.join(shim, name)
    fs.rmSync(link, { force: true })
    fs.symlinkSync(path.join(ROOT, 'gh-p2pcache'), link)
  }
  core.addPath(shim)
  for (const [name, value] of Object.entries(wanted)) core.exportVariable(name, value)
}
