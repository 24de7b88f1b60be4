/** What came into a project, import by import, and what was found in it: kept among the project's facts. */
import type { Text } from '../../core/text.ts';
import type { FoundThing } from '../answers-data.ts';
import { readFact, writeFact } from '../facts.ts';
import type { Project } from '../project.ts';

/** A finding as it is kept: with the ids of its items. */
export interface KeptFinding {
  readonly severity: FoundThing['severity'];
  readonly code: string;
  readonly message: string;
  /** The message as data, where it names options. */
  readonly text?: Text;
  readonly advice: string;
  readonly items: readonly number[];
  readonly files: FoundThing['files'];
}

export interface KeptImport {
  /** Absolute. */
  readonly path: string;
  readonly at: string;
  readonly explanation: string;
  /** Its files were looked at one by one, or need not be. */
  readonly isChecked: boolean;
  readonly fault?: string;
  readonly findings: readonly KeptFinding[];
}

export const readImports = (project: Project): readonly KeptImport[] =>
  (readFact(project, 'inspection') as readonly KeptImport[] | undefined) ?? [];

export const writeImports = (project: Project, imports: readonly KeptImport[]): void =>
  writeFact(project, 'inspection', imports);
