import assert from 'node:assert/strict'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { patterns, settings, withoutFile, yes } from '../src/settings.js'

const none = () => ''
const given = (inputs) => (name) => inputs[name] ?? ''
const job = { folder: '/tmp/job', keepRunning: false, alone: false }

test('without inputs: what the seed had, in folders that end with the job', () => {
  assert.deepEqual(settings(none, {}, job), {
    CACHE_ENABLE_P2P: 'true',
    CACHE_LISTEN_PORT: '9100',
    CACHE_DEFAULT_TTL: '300',
    CACHE_STATE_DIR: '/tmp/job/state',
    CACHE_DIR: '/tmp/job/store'
  })
})

test('an input comes before the environment, and that before the default', () => {
  const found = settings(given({ 'listen-port': '9200' }), { CACHE_LISTEN_PORT: '9300', CACHE_DEFAULT_TTL: '60' }, job)
  assert.equal(found.CACHE_LISTEN_PORT, '9200')
  assert.equal(found.CACHE_DEFAULT_TTL, '60')
})

test('a daemon that outlives the job has the folders of its user', () => {
  const found = settings(none, {}, { ...job, keepRunning: true })
  assert.equal('CACHE_STATE_DIR' in found, false)
  assert.equal('CACHE_DIR' in found, false)
})

test('an untrusted job has no peers, whatever its inputs and its environment say', () => {
  const inputs = given({ 'enable-p2p': 'true', 'bootstrap-peers': '/dns/a/tcp/1' })
  const found = settings(inputs, { CACHE_BOOTSTRAP_PEERS: '/dns/b/tcp/1' }, { ...job, alone: true })
  assert.equal(found.CACHE_ENABLE_P2P, 'false')
  assert.equal(found.CACHE_BOOTSTRAP_PEERS, '')
})

test('an untrusted job has folders of its own and no secret, whatever its environment says', () => {
  const env = {
    CACHE_STATE_DIR: '/var/lib/p2pcache',
    CACHE_DIR: '/var/cache/p2pcache',
    CACHE_P2P_SHARED_SECRET: 'fleet',
    CACHE_IPFS_API: 'http://127.0.0.1:5001'
  }
  const found = settings(given({ 'cache-dir': '/var/cache/other' }), env, { ...job, alone: true })
  assert.equal(found.CACHE_STATE_DIR, '/tmp/job/state')
  assert.equal(found.CACHE_DIR, '/tmp/job/store')
  assert.equal(found.CACHE_P2P_SHARED_SECRET, '')
  assert.equal(found.CACHE_IPFS_API, '')
})

test('a daemon without the config.toml of its machine has the configuration of gh', () => {
  const gh = (env) => withoutFile(env, '/tmp/job').GH_CONFIG_DIR
  assert.equal(withoutFile({}, '/tmp/job').XDG_CONFIG_HOME, '/tmp/job/config')
  assert.equal(gh({}), path.join(os.homedir(), '.config/gh'))
  assert.equal(gh({ XDG_CONFIG_HOME: '/etc/me' }), '/etc/me/gh')
  assert.equal(gh({ XDG_CONFIG_HOME: '/etc/me', GH_CONFIG_DIR: '/etc/gh' }), '/etc/gh')
})

test('folders are those of the workspace and of the user, as a step would name them', () => {
  const env = { GITHUB_WORKSPACE: '/w/site', CACHE_STATE_DIR: 'state' }
  const found = settings(given({ 'cache-dir': '~/.cache/x' }), env, job)
  assert.equal(found.CACHE_STATE_DIR, '/w/site/state')
  assert.equal(found.CACHE_DIR, path.join(os.homedir(), '.cache/x'))
})

test('a CACHE_DIR that a job has for something else is not taken for the store', () => {
  const store = (CACHE_DIR, more) => settings(none, { CACHE_DIR }, { ...job, ...more }).CACHE_DIR
  assert.equal(store('~/.cache'), path.join(os.homedir(), '.cache/gh-p2pcache'))
  assert.equal(store('/var/cache', { keepRunning: true }), '/var/cache')
})

test('the action in use twice in a job has one store', () => {
  for (const CACHE_DIR of ['', '/var/cache']) {
    const first = settings(none, { CACHE_DIR }, job)
    assert.equal(settings(none, first, job).CACHE_DIR, first.CACHE_DIR)
  }
})

test('a store that has the secrets in it is refused', () => {
  assert.throws(() => settings(given({ 'cache-dir': '/tmp/job' }), {}, job), /name another cache-dir/)
  assert.equal(settings(given({ 'cache-dir': '/tmp/job/s' }), {}, job).CACHE_DIR, '/tmp/job/s')
})

test('a bare secret shares the repositories of the owner unless others are named', () => {
  assert.deepEqual(patterns('', 'acme/widgets'), ['acme/*'])
  assert.deepEqual(patterns('acme/site, octo/*\nocto/x', 'acme/widgets'), ['acme/site', 'octo/*', 'octo/x'])
})

test('a flag that is neither true nor false is refused by its name', () => {
  assert.equal(yes('store', 'true'), true)
  assert.equal(yes('store', ''), false)
  assert.throws(() => yes('store', 'yes'), /input store takes true or false \('yes' was given\)/)
})
