/** How modules find `oddity` and `zod` once a plugin was asked for: in this package, so that there is one copy of each. */

interface Context {
  readonly parentURL?: string;
}
type Next<T> = (specifier: string, context: Context) => Promise<T>;

/** The `resolve` hook of Node's module loader. */
export async function resolve<T>(specifier: string, context: Context, next: Next<T>): Promise<T> {
  const isOurs = /^(oddity|zod)(\/|$)/.test(specifier);
  return next(specifier, isOurs ? { ...context, parentURL: import.meta.url } : context);
}
