import type { ComponentChildren } from 'preact';

/** Something wide that scrolls by itself, also by the keyboard. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <section
      class="scroll"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys scroll what is focused
      tabIndex={0}
    >
      {children}
    </section>
  );
}
