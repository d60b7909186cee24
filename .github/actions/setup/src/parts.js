// What of a store goes into the Actions cache.
import path from 'node:path'
import { inside } from './settings.js'

// Never the whole folder, which may have other things in it. Records without what writes have
// buried would come back to life; the rest of a store is made anew.
export const PARTS = ['records', 'tombstones']

/**
 * Return what of a store is kept. The names of paths are part of what an entry is found by: a store
 * in the runner's temporary folder, which is elsewhere on each runner, goes by its name there.
 */
export function paths(store, folder) {
  const named = inside(folder, store) ? path.relative(folder, store) : store
  return PARTS.map((part) => path.join(named, part))
}
