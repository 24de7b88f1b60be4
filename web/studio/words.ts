/** The texts of Studio, in one place, ready for another language. Sections of the page keep theirs in files beside this one. */
export const words = {
  title: 'oddity Studio',
  unreachable:
    'The server of Studio does not answer. Start it again with the same folder: nothing that was saved is lost.',
  refused: (status: number) => `The server refused this, with status ${status}.`,
  unknown:
    'Studio was started again and does not know this browser. Open the address that it printed; nothing that was saved is lost.',
  lost: 'Connection lost. The page shows what it last heard, and connects again by itself.',
  skip: 'Skip to the content',
  projects: 'Projects',
  allProjects: 'All projects',
  sectionList: 'Sections',
  sections: {
    data: 'Data',
    train: 'Train',
    evaluate: 'Evaluate',
    compare: 'Compare',
    inspect: 'Inspect',
    live: 'Live',
    ship: 'Ship',
  },
  loading: 'Loading …',
  retry: 'Try again',
  failed: 'This could not be shown.',
  command: 'The same on the command line',
  copy: 'Copy',
  copied: 'Copied',
} as const;
