import type { ComponentChildren } from 'preact';
import { go } from '../place.ts';

/** A link inside the page: a real one, that opens in another tab where it is asked to. */
export function Link(props: { to: string; isCurrent?: boolean; class?: string; children: ComponentChildren }) {
  return (
    <a
      href={props.to}
      class={props.class}
      aria-current={props.isCurrent ? 'page' : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
        event.preventDefault();
        go(props.to);
      }}
    >
      {props.children}
    </a>
  );
}
