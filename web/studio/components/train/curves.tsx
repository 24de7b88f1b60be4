import { trainWords as say, short } from '../../words/train.ts';

const WIDTH = 240;
const HEIGHT = 70;

/** One small chart for each metric of a training, as it comes in. */
export function Curves({
  curves,
}: {
  curves: ReadonlyMap<string, readonly (readonly [step: number, value: number])[]>;
}) {
  const drawn = [...curves].filter(([, points]) => points.length > 1);
  if (drawn.length === 0) return null;
  return (
    <section>
      <h4>{say.curves}</h4>
      <div class="curves">
        {drawn.map(([name, points]) => (
          <Curve key={name} name={name} points={points} />
        ))}
      </div>
    </section>
  );
}

function Curve({ name, points }: { name: string; points: readonly (readonly [number, number])[] }) {
  const values = points.map(([, value]) => value).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [from, to] = [points[0][0], points.at(-1)![0]];
  const x = (step: number) => (WIDTH * (step - from)) / Math.max(1, to - from);
  const y = (value: number) => HEIGHT - 2 - ((HEIGHT - 4) * (value - low)) / (high - low || 1);
  const path = points
    .filter(([, value]) => Number.isFinite(value))
    .map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`)
    .join(' ');
  const last = short(points.at(-1)![1]);
  return (
    <figure class="curve">
      <figcaption>
        {name} <span class="n">{last}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={say.curve(name, short(points[0][1]), last, to)}
      >
        <polyline points={path} />
      </svg>
      <small>
        {short(low)} – {short(high)}
      </small>
    </figure>
  );
}
