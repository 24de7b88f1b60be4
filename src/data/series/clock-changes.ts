/**
 * Local times without a zone across the end and the begin of daylight saving. In autumn an hour comes twice, so that times go
 * back by it; in spring one is left out, or steps of that hour are all written with its end. Only times that are regular
 * otherwise are changed. Times with a zone have no such places.
 */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A place where clocks were changed: times behind step `at` move on by `shift`, an hour or minus one. */
export interface ClockChange {
  readonly at: number;
  readonly shift: number;
}

/**
 * The places where clocks were changed, in their order; none where that does not explain every step back. A step forward by an
 * hour counts in the night to a Sunday, four to eight months from a step back.
 */
export function clockChanges(times: Float64Array): ClockChange[] {
  if (firstStop(times) < 0) return [];
  const usual = usualForward(times);
  if (!(usual <= 1.1 * HOUR)) return [];
  const isNear = (difference: number, wanted: number) => Math.abs(difference - wanted) <= 0.1 * usual;
  const [first, last] = [times[0], times[times.length - 1]];
  /**
   * Hourly times that are equal could as well be a row written twice, so the night must be that of most clocks; an hour by day
   * could be a second record, unless there is a day of others before and behind.
   */
  const isPlausible = (t: number) =>
    usual < 0.9 * HOUR
      ? isNight(times[t + 1]) || Math.min(times[t] - first, last - times[t + 1]) > DAY
      : isSundayNight(times[t + 1]);
  const backs: number[] = [];
  const ahead: number[] = [];
  for (let t = 0; t + 1 < times.length; t++) {
    const d = times[t + 1] - times[t];
    if (d <= 0) backs.push(t);
    else if (isNear(d, usual + HOUR) && isSundayNight(times[t + 1])) ahead.push(t);
  }
  const isClock = (t: number) => isNear(times[t + 1] - times[t], usual - HOUR) && isPlausible(t);
  const isYearly = backs.every((t, i) => i === 0 || times[t] - times[backs[i - 1]] > 300 * DAY);
  if (!backs.every(isClock) || !isYearly) return [];
  const mirrors = ahead.filter((t) =>
    backs.some((back) => {
      const days = Math.abs(times[t] - times[back]) / DAY;
      return days > 120 && days < 245;
    }),
  );
  const changes = [...backs.map((at) => ({ at, shift: HOUR })), ...mirrors.map((at) => ({ at, shift: -HOUR }))].sort(
    (a, b) => a.at - b.at,
  );
  return changes.every(({ shift }, i) => i === 0 || shift !== changes[i - 1].shift) ? changes : [];
}

/** The first step whose time the next one does not pass; −1 where times rise throughout. */
function firstStop(times: Float64Array): number {
  for (let t = 0; t + 1 < times.length; t++) if (times[t + 1] <= times[t]) return t;
  return -1;
}

/** The median of the differences above 0. */
function usualForward(times: Float64Array): number {
  const forward = new Float64Array(times.length);
  let count = 0;
  for (let t = 0; t + 1 < times.length; t++) if (times[t + 1] > times[t]) forward[count++] = times[t + 1] - times[t];
  return forward.subarray(0, count).sort()[count >> 1];
}

/** From 23:00 to 04:00 in the clock's own time. */
function isNight(time: number): boolean {
  const sinceMidnight = ((time % DAY) + DAY) % DAY;
  return sinceMidnight >= 23 * HOUR || sinceMidnight <= 4 * HOUR;
}

/** The same from Saturday to Sunday. */
function isSundayNight(time: number): boolean {
  const day = (((Math.floor((time + HOUR) / DAY) + 3) % 7) + 7) % 7;
  return isNight(time) && day === 6;
}

/** The times with these changes undone. */
export function withoutChanges(times: Float64Array, changes: readonly ClockChange[]): Float64Array {
  let [next, shift] = [0, 0];
  return times.map((time, t) => {
    if (changes[next] && t > changes[next].at) shift += changes[next++].shift;
    return time + shift;
  });
}

/**
 * Where some steps have the same time, and the times around them leave room for each, they are spread evenly over it: the clock
 * stood still, or an hour that daylight saving leaves out was written as its end. Returns the times and the first step of each
 * such run. `times` must not go back.
 */
export function withoutStops(times: Float64Array): { times: Float64Array; runs: number[] } {
  const runs: number[] = [];
  const first = firstStop(times);
  if (first < 0) return { times, runs };
  const usual = usualForward(times);
  const out = times.slice();
  for (let t = first; t < times.length; ) {
    let end = t + 1;
    while (end < times.length && times[end] === times[t]) end++;
    const count = end - t;
    const left = t > 0 ? times[t - 1] : times[t] - usual;
    const right = end < times.length ? times[end] : times[t] + usual;
    if (count > 1 && Math.abs(right - left - (count + 1) * usual) <= 0.5 * usual) {
      for (let k = 0; k < count; k++) out[t + k] = left + ((k + 1) * (right - left)) / (count + 1);
      runs.push(t);
    }
    t = end;
  }
  return { times: out, runs };
}
