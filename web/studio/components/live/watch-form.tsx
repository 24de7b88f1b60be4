import { type Signal, useSignal } from '@preact/signals';
import type { SinkSetup, WatchSetup } from '../../../../src/studio/live/setup.ts';
import { at, send } from '../../api.ts';
import { liveWords as say } from '../../words/live.ts';

const sinkNames = ['anomalies', 'webhook', 'secret', 'mqtt'] as const;

/** What is watched next, with the places that anomalies go to; these can be tried first. `sources` are those that suit the data of the run. */
export function WatchForm(props: { project: string; run: string; sources: readonly WatchSetup['source'][] }) {
  const { project, run, sources } = props;
  const source = useSignal<WatchSetup['source']>(sources[0]);
  const placeName = useSignal('');
  const fps = useSignal('1');
  const sinks = useSignal<SinkSetup>({});
  const told = useSignal('');
  const fault = useSignal('');

  const attempt = async (work: () => Promise<string>) => {
    told.value = '';
    fault.value = '';
    try {
      told.value = await work();
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  const begin = async () => {
    const setup = { ...{ run, source: source.value, place: placeName.value.trim() }, ...sinks.value };
    await send('POST', at(project, '/watches'), {
      ...setup,
      ...(source.value === 'camera' && { fps: Number(fps.value) }),
    });
    placeName.value = '';
    return '';
  };
  const test = async () => {
    const { secret: _, ...places } = sinks.value;
    if (Object.keys(places).length === 0) return say.noSink;
    const { sent } = await send<{ sent: readonly string[] }>('POST', at(project, '/sinks/test'), sinks.value);
    return say.tested(sent.join(', '));
  };

  return (
    <section>
      <h2>{say.add}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(begin);
        }}
      >
        <div class="fields">
          <label>
            {say.source}
            <select
              value={source.value}
              onChange={({ currentTarget }) => {
                source.value = currentTarget.value as WatchSetup['source'];
              }}
            >
              {sources.map((value) => (
                <option key={value} value={value}>
                  {say.sources[value]}
                </option>
              ))}
            </select>
          </label>
          <Text label={say.place[source.value]} value={placeName} isNeeded />
          {source.value === 'camera' && <Text label={say.fps} value={fps} isNumber />}
        </div>
        <fieldset>
          <legend>{say.sinks}</legend>
          <div class="fields">
            {sinkNames
              .filter((name) => source.value !== 'log' || name !== 'anomalies')
              .map((name) => (
                <label key={name}>
                  {say[name]}
                  <input
                    autocomplete="off"
                    value={sinks.value[name] ?? ''}
                    onInput={({ currentTarget }) => {
                      const { [name]: _, ...others } = sinks.value;
                      const text = currentTarget.value.trim();
                      sinks.value = text === '' ? others : { ...others, [name]: text };
                    }}
                  />
                </label>
              ))}
          </div>
          <button type="button" onClick={() => attempt(test)}>
            {say.test}
          </button>
        </fieldset>
        <button type="submit" class="main">
          {say.begin}
        </button>
        <p role="status">{told.value}</p>
        {fault.value && (
          <p class="banner" role="alert">
            {fault.value}
          </p>
        )}
      </form>
    </section>
  );
}

function Text(props: { label: string; value: Signal<string>; isNumber?: boolean; isNeeded?: boolean }) {
  return (
    <label>
      {props.label}
      <input
        inputMode={props.isNumber ? 'decimal' : undefined}
        required={props.isNeeded}
        value={props.value.value}
        onInput={({ currentTarget }) => {
          props.value.value = currentTarget.value;
        }}
      />
    </label>
  );
}
