// Nothing that this action waits for may cost the job more than the cache can give back.

/** Return what `promise` gives; throws when `seconds` have passed. What it waited for may go on. */
export async function within(seconds, what, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no end within ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
