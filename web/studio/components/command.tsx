import { useSignal } from '@preact/signals';
import { words } from '../words.ts';

/** The command or the code that does the same as a part of the page, to copy. */
export function Command({ text, label = words.command }: { text: string; label?: string }) {
  const isCopied = useSignal(false);
  return (
    <details class="command">
      <summary>{label}</summary>
      <pre>
        <code>{text}</code>
      </pre>
      <button
        type="button"
        onClick={async () => {
          await navigator.clipboard.writeText(text);
          isCopied.value = true;
        }}
      >
        {isCopied.value ? words.copied : words.copy}
      </button>
    </details>
  );
}
