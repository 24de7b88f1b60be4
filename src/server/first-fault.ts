/** What is wrong with a body, by the first fault that its schema found. */
import type { ZodError } from 'zod';

/** `inputs.0.shape: Invalid input: expected array, received string`. */
export function firstFault({ issues: [issue] }: ZodError): string {
  const place = issue.path.length > 0 ? `${issue.path.join('.')} of the body` : 'The body';
  return `${place} is not as it must be: ${issue.message}.`;
}
