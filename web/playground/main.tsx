/** The page: three tabs, each of which makes a detector and scores with it. */
import { signal } from '@preact/signals';
import { render } from 'preact';
import { Images } from './images.tsx';
import { Rows } from './rows.tsx';
import { SensorSeries } from './series.tsx';

/** False while it is served for development, which has no service worker. */
declare const IS_BUILT: boolean;

const tabs = [
  { id: 'images', title: 'Images', Panel: Images },
  { id: 'rows', title: 'Rows', Panel: Rows },
  { id: 'series', title: 'Sensor series', Panel: SensorSeries },
] as const;

const chosen = signal(0);
const offline = signal('');

/** Arrows move between tabs, as people who use the keyboard expect. */
function moveBy(event: KeyboardEvent): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  chosen.value = (chosen.value + step + tabs.length) % tabs.length;
  document.getElementById(`tab-${tabs[chosen.value].id}`)?.focus();
}

function App() {
  return (
    <>
      <header>
        <h1>Find what is odd</h1>
        <p>
          Show what is good, make a detector, and let it look at the rest. Everything happens in this page: your files
          never leave this machine.
        </p>
      </header>
      <main>
        <div role="tablist" aria-label="What to look at">
          {tabs.map(({ id, title }, i) => (
            <button
              key={id}
              type="button"
              role="tab"
              id={`tab-${id}`}
              aria-controls={`panel-${id}`}
              aria-selected={chosen.value === i}
              tabIndex={chosen.value === i ? 0 : -1}
              onKeyDown={moveBy}
              onClick={() => {
                chosen.value = i;
              }}
            >
              {title}
            </button>
          ))}
        </div>
        {tabs.map(({ id, Panel }, i) => (
          <div key={id} role="tabpanel" id={`panel-${id}`} aria-labelledby={`tab-${id}`} hidden={chosen.value !== i}>
            {chosen.value === i && <Panel />}
          </div>
        ))}
      </main>
      <footer>
        <p aria-live="polite">{offline}</p>
        <p>
          Made with oddity, anomaly detection in TypeScript. The same detector runs in Node, in pages and in any ONNX
          Runtime.
        </p>
      </footer>
    </>
  );
}

render(<App />, document.getElementById('app')!);

if (IS_BUILT && 'serviceWorker' in navigator) {
  navigator.serviceWorker
    .register('./sw.js')
    .then(() => navigator.serviceWorker.ready)
    .then(
      () => {
        offline.value = 'This page also works offline now.';
      },
      () => {}, // no file host of a secure page: it works all the same, but not offline
    );
}
