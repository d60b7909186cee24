// What the inputs and the job's environment ask for.
import path from 'node:path'

const NAMES = {
  CACHE_ENABLE_P2P: ['enable-p2p', 'true'],
  CACHE_LISTEN_PORT: ['listen-port', '9100'],
  CACHE_DEFAULT_TTL: ['default-ttl', '300'],
  CACHE_MAX_SIZE: ['max-size', ''],
  CACHE_BOOTSTRAP_PEERS: ['bootstrap-peers', ''],
  CACHE_PROFILE: ['profile', '']
}

/**
 * Return the settings for all following steps: an input, else the job's environment, else the
 * default. `input(name)` returns '' for one that is not given; `folder` ends with the job.
 */
export function settings(input, env, { folder, keepRunning, alone }) {
  const found = {}
  for (const [name, [from, usual]] of Object.entries(NAMES)) {
    found[name] = input(from) || env[name] || usual
  }
  // Jobs of one machine share a daemon only where it is meant to outlive them.
  found.CACHE_STATE_DIR = env.CACHE_STATE_DIR || (keepRunning ? '' : path.join(folder, 'state'))
  found.CACHE_DIR = input('cache-dir') || env.CACHE_DIR || (keepRunning ? '' : path.join(folder, 'store'))
  if (alone) {
    found.CACHE_ENABLE_P2P = 'false'
    found.CACHE_BOOTSTRAP_PEERS = ''
  }
  return Object.fromEntries(Object.entries(found).filter(([name, value]) => value || env[name]))
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
