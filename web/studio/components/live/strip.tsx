import { liveWords as say } from '../../words/live.ts';

const [WIDTH, HEIGHT] = [300, 56];

/** The last scores in their order, with the threshold; said in words too. */
export function Strip({ scores, threshold }: { scores: readonly (number | null)[]; threshold: number | null }) {
  const known = scores.filter((score) => score !== null);
  if (known.length === 0) return <p class="soft">{say.noStrip}</p>;
  const all = threshold === null ? known : [...known, threshold];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const y = (score: number) => 4 + (HEIGHT - 8) * (1 - (score - low) / (high - low || 1));
  const x = (i: number) => ((i + 0.5) * WIDTH) / scores.length;
  const words = say.strip(known.length, threshold === null ? '–' : threshold.toPrecision(4));
  return (
    <svg class="strip" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      {threshold !== null && <line x1={0} x2={WIDTH} y1={y(threshold)} y2={y(threshold)} />}
      {scores.map((score, i) =>
        score === null ? null : (
          <circle
            key={i}
            class={threshold !== null && score >= threshold ? 'dot over' : 'dot'}
            cx={x(i)}
            cy={y(score)}
            r={2}
          />
        ),
      )}
    </svg>
  );
}
