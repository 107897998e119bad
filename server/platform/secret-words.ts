/**
 * Secrets that this process holds, so that they can be taken out of whatever text leaves it, also where no field name gives
 * them away. Runs in the server and in commands. Imports nothing.
 */

export interface SecretWords {
  add(secret: string): void;
  /** The text with each secret as `…` and its last four characters. */
  hide(text: string): string;
}

/** Shorter ones would take harmless words out of every line. */
const shortest = 8;

export function createSecretWords(): SecretWords {
  const words = new Map<string, string>();
  return {
    add: (secret) => {
      if (secret.length < shortest) return;
      const shown = `…${secret.length < 12 ? "" : secret.slice(-4)}`;
      words.set(secret, shown);
      // As JSON writes it, where that differs.
      words.set(JSON.stringify(secret).slice(1, -1), shown);
    },
    hide: (text) => {
      let hidden = text;
      for (const [word, shown] of words) if (hidden.includes(word)) hidden = hidden.replaceAll(word, shown);
      return hidden;
    },
  };
}
