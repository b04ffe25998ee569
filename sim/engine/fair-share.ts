/** Levels closer than this (relative) are one level: rounding must not split a tie. */
const TIE = 1e-12;

/**
 * Max-min fair speeds by progressive filling: all speeds rise together from 0; where a resource is full, those that draw on it stop;
 * the others go on, up to 1.
 *
 * @param count number of tasks
 * @param share share[i * resources + r]: what task i draws of resource r at speed 1
 * @param capacity capacity[r] > 0
 * @param speed receives the speed of each task, 0 < speed ≤ 1
 */
export function fairShare(
  count: number,
  resources: number,
  share: Float64Array,
  capacity: Float64Array,
  speed: Float64Array,
): void {
  speed.fill(0, 0, count);
  let rising = count;
  let level = 0;
  while (rising > 0) {
    let next = 1;
    for (let r = 0; r < resources; r++) {
      const full = fillLevel(r, count, resources, share, capacity, speed);
      if (full < next) next = full;
    }
    level = Math.max(level, next);
    if (level >= 1) {
      for (let i = 0; i < count; i++) if (speed[i] === 0) speed[i] = 1;
      return;
    }
    // Two passes: a task that stops must not change the levels the others are compared with.
    const limit = level * (1 + TIE);
    let stopped = 0;
    for (let r = 0; r < resources; r++) {
      if (fillLevel(r, count, resources, share, capacity, speed) > limit) continue;
      for (let i = 0; i < count; i++) {
        if (speed[i] === 0 && share[i * resources + r] > 0) {
          speed[i] = -level;
          stopped++;
        }
      }
    }
    for (let i = 0; i < count; i++) if (speed[i] < 0) speed[i] = -speed[i];
    rising -= stopped;
  }
}

/** The level at which resource r is full when the tasks still rising share what the stopped ones leave. */
function fillLevel(
  r: number,
  count: number,
  resources: number,
  share: Float64Array,
  capacity: Float64Array,
  speed: Float64Array,
): number {
  let left = capacity[r];
  let rising = 0;
  for (let i = 0; i < count; i++) {
    const s = share[i * resources + r];
    // A negative speed marks a task that stops at this very level: it still counts as rising.
    if (speed[i] > 0) left -= speed[i] * s;
    else rising += s;
  }
  return rising > 0 ? Math.max(left, 0) / rising : Number.POSITIVE_INFINITY;
}
