import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { words } from '../words.ts';

interface Props {
  readonly text: string;
  readonly label?: string;
  /** What it is the command of, for who hears the page: needed where several stand beside each other. */
  readonly about?: string;
}

/** The command or the code that does the same as a part of the page, to copy. */
export function Command({ text, label = words.command, about }: Props) {
  const copied = useSignal('');
  const code = useRef<HTMLElement>(null);
  const hidden = about !== undefined && <span class="hidden">: {about}</span>;
  return (
    <details class="command">
      <summary>
        {label}
        {hidden}
      </summary>
      <pre>
        <code ref={code}>{text}</code>
      </pre>
      <button
        type="button"
        onClick={async () => {
          try {
            await navigator.clipboard.writeText(text);
            copied.value = text;
          } catch {
            // A browser may refuse its clipboard: then the text is selected, for the keyboard to copy.
            if (code.current) getSelection()?.selectAllChildren(code.current);
          }
        }}
      >
        {copied.value === text ? words.copied : words.copy}
        {hidden}
      </button>
    </details>
  );
}
