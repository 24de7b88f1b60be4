/** Where the page is: an address of its own for every state that can be shared, so that a link opens what its sender saw. */
import { computed, signal } from '@preact/signals';

export const sections = ['data', 'train', 'evaluate', 'compare', 'inspect', 'live', 'ship'] as const;
export type Section = (typeof sections)[number];

const address = signal(location.pathname + location.search);
addEventListener('popstate', () => {
  address.value = location.pathname + location.search;
});

/** `/p/<project>/<section>?key=value`; the list of projects where there is no project. */
export const place = computed(() => {
  const url = new URL(address.value, location.origin);
  const [, p, project, section] = url.pathname.split('/');
  const isProject = p === 'p' && project !== undefined && project !== '';
  return {
    project: isProject ? decodeURIComponent(project) : undefined,
    section: sections.find((one) => one === section) ?? ('data' as Section),
    query: url.searchParams,
  };
});

export const addressOf = (project: string, section: Section, query: Readonly<Record<string, string>> = {}): string => {
  const text = new URLSearchParams(query).toString();
  return `/p/${encodeURIComponent(project)}/${section}${text && `?${text}`}`;
};

/** Goes somewhere else; `replace` for a state that "back" need not return to, such as a filter. */
export function go(to: string, { replace = false } = {}): void {
  if (to === address.value) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  address.value = to;
}

/** The query of the place with some keys changed; null takes one out. */
export function setQuery(changes: Readonly<Record<string, string | null>>, { replace = true } = {}): void {
  const url = new URL(location.href);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  go(url.pathname + url.search, { replace });
}
