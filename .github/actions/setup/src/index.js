// One bundle for both ends of the job: the runner starts it again as the post step.
import * as core from '@actions/core'
import { main } from './main.js'
import { post } from './post.js'

const isPost = core.getState('phase') !== ''
const [work, consequence] = isPost
  ? [post, 'its end was not clean']
  : [main, 'not in use here, gh asks GitHub itself']

// A cache that can't be had fails no job.
work()
  .catch((error) => core.warning(`gh-p2pcache: ${consequence}: ${error.message}`))
  .finally(() => process.exit()) // @actions/cache may leave sockets open that keep the step alive
