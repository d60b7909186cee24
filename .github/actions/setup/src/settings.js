// What the inputs and the job's environment ask for.
import os from 'node:os'
import path from 'node:path'

const NAME = 'gh-p2pcache'
const NAMES = {
  CACHE_ENABLE_P2P: ['enable-p2p', 'true'],
  CACHE_LISTEN_PORT: ['listen-port', '9100'],
  CACHE_DEFAULT_TTL: ['default-ttl', '300'],
  CACHE_MAX_SIZE: ['max-size', ''],
  CACHE_BOOTSTRAP_PEERS: ['bootstrap-peers', ''],
  CACHE_PROFILE: ['profile', '']
}

// What a job that strangers can trigger has none of, though its machine's or its own environment say so.
const OF_OTHERS = [
  'CACHE_P2P_SHARED_SECRET',
  'CACHE_BOOTSTRAP_PEERS',
  'CACHE_IPFS_API',
  'CACHE_IPFS_GATEWAY',
  'CACHE_HTTP_PORT'
]

/**
 * Return the settings for all following steps: an input, else the job's environment, else the
 * default. `input(name)` returns '' for one that is not given; `folder` ends with the job. Throws
 * for a store that would have the team's secret in it.
 */
export function settings(input, env, { folder, keepRunning, alone }) {
  const found = {}
  for (const [name, [from, usual]] of Object.entries(NAMES)) {
    found[name] = input(from) || env[name] || usual
  }
  // Jobs of one machine share a daemon only where it is meant to outlive them.
  const own = (name) => (keepRunning ? '' : path.join(folder, name))
  const state = whole(env.CACHE_STATE_DIR ?? '', env) || own('state')
  const named = whole(env.CACHE_DIR ?? '', env)
  const store = whole(input('cache-dir'), env) || (keepRunning ? named : ours(named, folder)) || own('store')
  if (state && store && inside(store, state)) {
    throw new Error(`the store ${store} is to be kept, and ${state} in it has secrets: name another cache-dir`)
  }
  found.CACHE_STATE_DIR = alone ? path.join(folder, 'state') : state
  found.CACHE_DIR = alone ? path.join(folder, 'store') : store
  if (alone) {
    found.CACHE_ENABLE_P2P = 'false'
    for (const name of OF_OTHERS) found[name] = ''
  }
  return Object.fromEntries(Object.entries(found).filter(([name, value]) => value || env[name]))
}

/**
 * Return the environment in which a daemon starts without the machine's config.toml, where '' is no
 * word against a setting. gh's own configuration is the one that it was.
 */
export function withoutFile(env, folder) {
  const user = env.XDG_CONFIG_HOME || path.join(os.homedir(), '.config')
  return { XDG_CONFIG_HOME: path.join(folder, 'config'), GH_CONFIG_DIR: env.GH_CONFIG_DIR || path.join(user, 'gh') }
}

// The daemon, which has a working directory of its own, and @actions/cache are to mean the same.
function whole(folder, env) {
  if (!folder) return ''
  const named = folder.startsWith('~/') ? path.join(os.homedir(), folder.slice(2)) : folder
  return path.resolve(env.GITHUB_WORKSPACE || process.cwd(), named)
}

// A job may have CACHE_DIR for a purpose of its own, and none of that is to go into the Actions
// cache. What an earlier use of this action has handed on is ours already.
function ours(named, folder) {
  if (!named || path.basename(named) === NAME || inside(folder, named)) return named
  return path.join(named, NAME)
}

/** Say whether `place` is `folder` or lies in it. */
export function inside(folder, place) {
  return !path.relative(folder, place).startsWith('..')
}

/** Return the patterns of an input's list; without any, the repositories of the owner. */
export function patterns(list, repository) {
  const named = list.split(/[\s,]+/).filter(Boolean)
  return named.length ? named : [`${repository.split('/')[0]}/*`]
}

/** Say whether an input means yes; other words than true and false are refused. */
export function yes(name, text) {
  if (text === 'true') return true
  if (text === 'false' || text === '') return false
  throw new Error(`input ${name} takes true or false ('${text}' was given)`)
}
