export function soak(options: {
  kills: number;
  seed: number;
  only?: readonly string[];
  tell?: (line: string) => void;
}): Promise<string[]>;
