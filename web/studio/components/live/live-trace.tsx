import { useSignal } from '@preact/signals';
import type { LiveTrace } from '../../../../src/studio/live/trace.ts';
import type { ShownWatch } from '../../../../src/studio/routes/live.ts';
import { get } from '../../api.ts';
import { raw, whole } from '../../numbers.ts';
import { Strip } from '../../viewer/trace.tsx';
import { liveWords } from '../../words/live.ts';
import { Shown, useAsked } from '../asked.tsx';
import '../../viewer/viewer.css';

const words = liveWords.trace;

type LogItems = NonNullable<ShownWatch['items']>;

/** The latest steps or rows of a log that is watched: a channel with the band where its values usually lie, and the scores with the threshold. */
export function LiveTraceView({ path, id, items }: { path: string; id: string; items: LogItems }) {
  const channel = useSignal<string | undefined>(undefined);
  const asked = useAsked(
    (signal) => {
      const query = channel.value === undefined ? '' : `?${new URLSearchParams({ channel: channel.value })}`;
      return get<LiveTrace>(`${path}/trace${query}`, signal);
    },
    ({ topic, data }) => topic === 'progress' && (data as { watch?: string }).watch === id,
  );
  return (
    <Shown asked={asked}>
      {(trace) =>
        trace.scores.length === 0 ? (
          <p class="soft">{liveWords.noStrip}</p>
        ) : (
          <Drawn
            trace={trace}
            items={items}
            onChannel={(name) => {
              channel.value = name;
            }}
          />
        )
      }
    </Shown>
  );
}

function Drawn(props: { trace: LiveTrace; items: LogItems; onChannel(name: string): void }) {
  const { trace, items, onChannel } = props;
  const { channels, channel, lines, times, values, lower, upper, scores, threshold, first, alarms } = trace;
  const shared = { n: scores.length, first, alarms };
  const known = values.filter((value) => value !== null);
  const ends = known.length === 0 ? ['–', '–'] : [raw(Math.min(...known)), raw(Math.max(...known))];
  const time = times.at(-1);
  return (
    <div class="trace">
      <p class="soft">
        {words.text(whole(lines[0]), whole(lines[lines.length - 1]))}
        {time && ` (${time.replace('T', ' ').slice(0, 19)})`}. {lower && words.band} {words.legend}
      </p>
      {channels.length > 1 && (
        <label>
          {words.channel[items]}{' '}
          <select value={channel ?? ''} onChange={({ currentTarget }) => onChannel(currentTarget.value)}>
            {channels.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {channel !== null && (
        <Strip
          name={channel}
          text={words.values(words.channel[items], channel, ends[0], ends[1])}
          line={values}
          lower={lower}
          upper={upper}
          {...shared}
        />
      )}
      <Strip
        name={words.score}
        text={words.scores(threshold === null ? '–' : raw(threshold), alarms.length)}
        line={scores}
        level={threshold}
        {...shared}
      />
    </div>
  );
}
