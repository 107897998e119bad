/** Which model is meant, where there is more than one. The system's own list: it works with every key, reader and phone. */
import { useId } from "react";
import type { ListedModel } from "../api/shapes.ts";
import { t } from "../words.ts";

interface AliasPickerProps {
  readonly models: readonly ListedModel[];
  readonly alias: string;
  readonly disabled?: boolean;
  onPick(alias: string): void;
}

export function AliasPicker({ models, alias, disabled = false, onPick }: AliasPickerProps) {
  const field = useId();
  return (
    <span className="flex min-w-0 items-center gap-2">
      <label htmlFor={field} className="text-13 text-muted max-sm:sr-only">
        {t("chat.model")}
      </label>
      <select
        id={field}
        className="field min-w-0 max-w-60 truncate font-mono"
        value={alias}
        disabled={disabled}
        onChange={(event) => onPick(event.target.value)}
      >
        {models.map((model) => (
          <option key={model.id} value={model.id}>
            {model.id}
          </option>
        ))}
      </select>
    </span>
  );
}
