/** The page of Studio: a bar with the project and its sections, and the section that is open, loaded when it is first asked for. */
import { signal, useSignalEffect } from '@preact/signals';
import { type ComponentType, render } from 'preact';
import { isConnected, isKnown, listenTo } from './api.ts';
import { Known } from './components/known.tsx';
import { Link } from './components/link.tsx';
import { addressOf, place, type Section, sections } from './place.ts';
import { Home } from './routes/home.tsx';
import { words } from './words.ts';

/** What each section shows. */
const pages: Readonly<Record<Section, () => Promise<ComponentType<{ project: string }>>>> = {
  data: async () => (await import('./routes/data.tsx')).DataPage,
  train: async () => (await import('./routes/train.tsx')).TrainPage,
  evaluate: async () => (await import('./routes/evaluate.tsx')).EvaluatePage,
  compare: async () => (await import('./routes/compare.tsx')).ComparePage,
  inspect: async () => (await import('./routes/inspect.tsx')).InspectPage,
  live: async () => (await import('./routes/live.tsx')).LivePage,
  ship: async () => (await import('./routes/ship.tsx')).ShipPage,
};

const loaded = signal<Partial<Record<Section, ComponentType<{ project: string }>>>>({});
const fault = signal('');

function App() {
  const { project, section } = place.value;
  useSignalEffect(() => {
    const { project: name, section: wanted } = place.value;
    listenTo(name);
    document.title = name === undefined ? words.title : `${name}: ${words.sections[wanted]} – ${words.title}`;
    if (name === undefined || loaded.peek()[wanted]) return;
    pages[wanted]().then(
      (Page) => {
        loaded.value = { ...loaded.peek(), [wanted]: Page };
      },
      () => {
        fault.value = words.failed;
      },
    );
  });
  const Page = project === undefined ? undefined : loaded.value[section];
  return (
    <>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <header class="bar">
        <Link to="/" class="brand">
          oddity <span>Studio</span>
        </Link>
        {project !== undefined && (
          <>
            <strong class="project">{project}</strong>
            <nav aria-label={words.sectionList}>
              <ul>
                {sections.map((one) => (
                  <li key={one}>
                    <Link to={addressOf(project, one)} isCurrent={one === section}>
                      {words.sections[one]}
                    </Link>
                  </li>
                ))}
              </ul>
            </nav>
          </>
        )}
      </header>
      <p class="lost" role="status" hidden={isConnected.value && isKnown.value}>
        {isKnown.value ? words.lost : words.unknown}
      </p>
      <main id="main" tabIndex={-1}>
        {project === undefined ? (
          <Home />
        ) : Page ? (
          <Known key={project} project={project}>
            <Page project={project} />
          </Known>
        ) : (
          <p class="soft" role="status">
            {fault.value || words.loading}{' '}
            {fault.value && (
              <button type="button" onClick={() => location.reload()}>
                {words.retry}
              </button>
            )}
          </p>
        )}
      </main>
    </>
  );
}

render(<App />, document.getElementById('app')!);
