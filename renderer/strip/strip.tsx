/** The strip over the page: lamp, box, what it does, its endpoint, the colours. Runs in the browser. */
import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { Copy } from "../connect/copy.tsx";
import { Lamp } from "../lamp/lamp.tsx";
import type { Verdict } from "../now/verdict.ts";
import { t } from "../words.ts";
import { chooseTheme, currentTheme, nextTheme } from "./theme.ts";

const themeIcons = Object.freeze({ system: Monitor, light: Sun, dark: Moon });

export function Strip({ name, verdict, endpoint }: { name: string; verdict: Verdict; endpoint: string }) {
  return (
    <header className="border-line border-b bg-panel">
      <div className="mx-auto flex max-w-300 flex-wrap items-center gap-x-3 px-4 py-1 sm:min-h-14 sm:flex-nowrap sm:px-6">
        <div className="flex min-h-11 min-w-0 flex-1 items-center gap-2 sm:flex-none">
          <Lamp state={verdict.lamp} size={28} />
          <span className="truncate font-semibold text-16">{name}</span>
          <span className="shrink-0 text-muted" aria-hidden="true">
            ·
          </span>
          <span className="shrink-0 text-muted">{verdict.phrase}</span>
        </div>
        <div className="order-last flex w-full min-w-0 items-center gap-1 sm:order-none sm:ml-auto sm:w-auto">
          <code className="min-w-0 truncate font-mono text-13">{endpoint}</code>
          <Copy text={endpoint} label={t("copy.endpoint")} compact />
        </div>
        <ThemeButton />
      </div>
    </header>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState(currentTheme);
  const Icon = themeIcons[theme];
  const label = t(`theme.${theme}`);
  return (
    <button
      type="button"
      className="control control-quiet min-w-11 px-0 sm:min-w-9"
      aria-label={label}
      title={label}
      onClick={() => {
        const next = nextTheme(theme);
        chooseTheme(next);
        setTheme(next);
      }}
    >
      <Icon size={16} aria-hidden="true" />
    </button>
  );
}
