export const tablePath: string;
export function replay(report?: (line: string) => void): Promise<string>;
export function differences(before: string, after: string): string[];
