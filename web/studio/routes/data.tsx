/** The data of a project: what was understood and found, its items by filters, their labels, and versions of it all. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import type { Commanded, ItemFacts, VersionFacts } from '../../../src/studio/answers-data.ts';
import { at, get, send } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Command } from '../components/command.tsx';
import { AddData } from '../components/data/add-data.tsx';
import { Bulk } from '../components/data/bulk.tsx';
import { Filters } from '../components/data/filters.tsx';
import { Findings } from '../components/data/findings.tsx';
import { ItemDialog } from '../components/data/item-dialog.tsx';
import { ItemList } from '../components/data/item-list.tsx';
import { ReadingPanel } from '../components/data/reading.tsx';
import { SeriesPlot } from '../components/data/series-plot.tsx';
import { Similar } from '../components/data/similar/similar.tsx';
import { type DataStore, openStore } from '../components/data/store.ts';
import { Strangers } from '../components/data/strangers.tsx';
import { leastWidth, RowHead, RowLine, Tile } from '../components/data/tile.tsx';
import { Link } from '../components/link.tsx';
import { dataWords as say } from '../words/data.ts';
import { homeWords } from '../words/home.ts';
import { words } from '../words.ts';
import './home.css';
import './data.css';

export function DataPage({ project }: { project: string }) {
  const store = useMemo(() => openStore(project), [project]);
  useEffect(() => store.close, [store]);
  const all = store.facets.value?.total;
  return (
    <>
      <h1>{words.sections.data}</h1>
      {store.fault.value && (
        <p class="banner" role="alert">
          {store.fault.value} {all === undefined && <Link to="/">{words.allProjects}</Link>}
        </p>
      )}
      {all === undefined ? (
        !store.fault.value && (
          <p class="soft" role="status">
            {words.loading}
          </p>
        )
      ) : all === 0 ? (
        <p>{say.empty}</p>
      ) : (
        <>
          <Findings project={project} />
          {(store.kind.value === 'table' || store.kind.value === 'series') && <ReadingPanel project={project} />}
          {(store.kind.value === 'image' || store.kind.value === 'table') && (
            <>
              <Strangers store={store} />
              <Similar store={store} />
            </>
          )}
          {store.kind.value === 'series' ? <SeriesView store={store} /> : <Items store={store} all={all} />}
        </>
      )}
      {all !== undefined && <Adding store={store} isOpen={all === 0} />}
      {all !== undefined && all > 0 && <Versions project={project} />}
    </>
  );
}

function Adding({ store, isOpen }: { store: DataStore; isOpen: boolean }) {
  return (
    <details class="panel adding" open={isOpen}>
      <summary>{homeWords.add}</summary>
      <AddData
        submit={homeWords.add}
        project={async () => store.project}
        onDone={(_, answer) => {
          if (answer) store.news.value = homeWords.added(answer.added, answer.known);
        }}
      />
    </details>
  );
}

function Items({ store, all }: { store: DataStore; all: number }) {
  const isOpen = useSignal(false);
  const { kind, columns, total } = store;
  const names = columns.value;
  const drawRow = useCallback((item: ItemFacts | undefined) => <RowLine item={item} columns={names} />, [names]);
  const drawTile = useCallback(
    (item: ItemFacts | undefined, isFast: boolean) => <Tile project={store.project} item={item} isBare={isFast} />,
    [store],
  );
  const open = (index: number) => {
    store.focus.value = index;
    if (kind.peek() !== 'table') isOpen.value = true;
  };
  return (
    <>
      <Filters store={store} />
      <div class="row">
        <strong role="status">{total.value === undefined ? words.loading : say.total(total.value, all)}</strong>
        <span role="status" class="soft">
          {store.news.value}
        </span>
        <details class="keys">
          <summary>{say.keys}</summary>
          <dl>
            {say.keyList.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </details>
      </div>
      {kind.value === 'clip' ? <p class="soft">{say.clips}</p> : <Bulk store={store} />}
      {total.value === 0 ? (
        <p>{say.nothing}</p>
      ) : kind.value === 'table' ? (
        <ItemList
          key="rows"
          store={store}
          height={32}
          minWidth={leastWidth(columns.value.length)}
          head={<RowHead columns={columns.value} />}
          onOpen={open}
          draw={drawRow}
        />
      ) : (
        <ItemList key="tiles" store={store} least={148} height={184} onOpen={open} draw={drawTile} />
      )}
      {isOpen.value && (
        <ItemDialog
          store={store}
          onClose={() => {
            isOpen.value = false;
          }}
        />
      )}
    </>
  );
}

function SeriesView({ store }: { store: DataStore }) {
  store.round.value;
  const total = store.total.value ?? 0;
  const index = Math.min(store.focus.value, Math.max(0, total - 1));
  useSignalEffect(() => {
    store.need(0, Math.min(1000, store.total.value ?? 0));
  });
  const item = store.itemAt(index);
  const { undo, redo } = store.facets.value ?? {};
  return (
    <>
      <div class="row">
        {total > 1 && (
          <label>
            {say.series}{' '}
            <select
              value={index}
              onChange={({ currentTarget }) => {
                store.focus.value = Number(currentTarget.value);
              }}
            >
              {Array.from({ length: total }, (_, i) => (
                <option key={i} value={i}>
                  {store.itemAt(i)?.name ?? i + 1}
                </option>
              ))}
            </select>
          </label>
        )}
        <button type="button" disabled={undo === undefined} onClick={() => void store.undo()}>
          {say.undo}
        </button>
        <button type="button" disabled={redo === undefined} onClick={() => void store.redo()}>
          {say.redo}
        </button>
        <span role="status">{store.news.value}</span>
      </div>
      {item && <SeriesPlot key={item.id} store={store} id={item.id} />}
    </>
  );
}

function Versions({ project }: { project: string }) {
  const asked = useAsked((signal) =>
    get<{ versions: readonly (VersionFacts & Commanded)[] }>(at(project, '/versions'), signal),
  );
  const [news, fault] = [useSignal(''), useSignal('')];
  const make = async () => {
    try {
      const { hash, counts } = await send<VersionFacts>('POST', at(project, '/versions'));
      news.value = say.versionMade(hash, counts.items);
      fault.value = '';
      asked.again();
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  return (
    <section>
      <h2>{say.version}</h2>
      <p class="soft">{say.versionAbout}</p>
      <div class="row">
        <button type="button" onClick={() => void make()}>
          {say.makeVersion}
        </button>
        <span role="status">{news.value}</span>
      </div>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      <Shown asked={asked}>
        {({ versions }) => (
          <ul class="plainlist">
            {versions.map(({ hash, at: time, counts, path, options, command }) => (
              <li key={hash}>
                <code>{hash}</code>{' '}
                <span class="soft">
                  {time.slice(0, 16).replace('T', ' ')}:{' '}
                  {options.kind === 'series'
                    ? say.versionOfSeries(counts.items)
                    : say.versionOf(counts.normal, counts.anomalous, counts.unlabelled, counts.leftOut)}
                </span>
                <br />
                <small class="place">{path}</small>
                <Command text={command} />
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </section>
  );
}
