/** The curves that VUS averages, asked for when they are opened: the server computes them from the scores that the run kept. */
import { useComputed, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { SoftCurvesAnswer } from '../../../src/studio/evaluate/answers.ts';
import { at, get } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { fixed, many, percent } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';
import { Curve } from './curves.tsx';
import type { Choice } from './histogram.tsx';
import { thin } from './model.ts';

const words = evaluateWords.curves.soft;

export function SoftCurves(props: { project: string; run: string; choice: Choice }) {
  const isOpen = useSignal(false);
  return (
    <details
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>{words.title}</summary>
      {isOpen.value && <Opened {...props} />}
    </details>
  );
}

function Opened({ project, run, choice }: { project: string; run: string; choice: Choice }) {
  const number = useSignal(0);
  const path = at(project, `/runs/${encodeURIComponent(run)}/soft-curves`);
  const asked = useAsked((signal) => get<SoftCurvesAnswer>(`${path}?series=${number.value}`, signal));
  return (
    <Shown asked={asked}>
      {({ series, curve }) => (
        <>
          <p class="soft">{words.lead}</p>
          {series.length > 1 && (
            <label>
              {words.series}{' '}
              <select
                value={number.value}
                onChange={({ currentTarget }) => {
                  number.value = Number(currentTarget.value);
                }}
              >
                {series.map(({ id }, i) => (
                  <option key={id} value={i}>
                    {id}
                  </option>
                ))}
              </select>
            </label>
          )}
          {curve ? (
            <Drawn one={series[number.value]} curve={curve} choice={choice} />
          ) : (
            <p>{words.none(series[number.value].reason ?? '')}</p>
          )}
        </>
      )}
    </Shown>
  );
}

function Drawn({
  one,
  curve,
  choice,
}: {
  one: SoftCurvesAnswer['series'][number];
  curve: NonNullable<SoftCurvesAnswer['curve']>;
  choice: Choice;
}) {
  const { thresholds, recall, precision, areas } = curve;
  const last = areas.length - 1;
  const paths = useMemo(() => {
    const along = areas.map((_, buffer) => buffer / Math.max(1, last));
    return {
      pr: thin(recall, precision, true),
      areas: (['pr', 'roc'] as const).map((name) =>
        thin(
          along,
          areas.map((area) => area[name]),
        ),
      ),
    };
  }, [recall, precision, areas, last]);
  // The last of the falling thresholds that lets no other step through.
  const point = useComputed(() => thresholds.findLastIndex((threshold) => threshold >= choice.threshold.value));
  const here = point.value;
  const at = here < 0 ? undefined : ([recall[here], precision[here]] as const);
  return (
    <div class="curves">
      <Curve
        title={words.pr}
        text={words.prText(
          fixed(areas[last].pr),
          many(last, words.steps[0], words.steps[1]),
          percent(at?.[1]),
          percent(at?.[0] ?? 0),
        )}
        path={paths.pr}
        at={at}
        axes={[evaluateWords.curves.recall, evaluateWords.curves.precision]}
      />
      <Curve
        title={words.surface}
        text={words.surfaceText(fixed(one.volumes?.pr), fixed(one.volumes?.roc))}
        path={paths.areas[0]}
        second={paths.areas[1]}
        axes={[words.buffer, words.area]}
        ticks={[0, last / 2, last].map(String)}
      />
    </div>
  );
}
