/** What the box serves. Runs in the browser. */
import { TriangleAlert } from "lucide-react";
import type { AskError } from "../api/ask.ts";
import type { BoxState, ListedModel, ModelView } from "../api/shapes.ts";
import { Command, Copy } from "../connect/copy.tsx";
import { contextTokens, exact, unknownFigure } from "../format.ts";
import { t } from "../words.ts";

interface ModelsProps {
  /** Null: not known yet. */
  readonly models: readonly ListedModel[] | null;
  readonly error: AskError | null;
  readonly state: BoxState | null;
  readonly stale: boolean;
  onRetry(): void;
}

const serveCommand = "lanthorn serve --model ./your-model.gguf";

export function Models({ models, error, state, stale, onRetry }: ModelsProps) {
  return (
    <section aria-labelledby="models" className="panel">
      <h2 id="models" className="px-4 pt-3 font-semibold text-16">
        {t("models.title")}
      </h2>
      {error !== null && models === null ? (
        <Broken error={error} onRetry={onRetry} />
      ) : models === null ? (
        <Waiting />
      ) : models.length === 0 ? (
        <Empty />
      ) : (
        <ul className={`px-4 pb-2 ${stale ? "text-muted" : ""}`}>
          {models.map((model) => (
            <Row key={model.id} model={model} view={state?.models.find((each) => each.id === model.id) ?? null} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ model, view }: { model: ListedModel; view: ModelView | null }) {
  const context = model.context_length;
  return (
    <li className="grid min-h-9 grid-cols-[auto_auto_1fr] items-baseline gap-x-4 border-line border-t py-2 first:border-t-0 sm:grid-cols-[minmax(12rem,2fr)_1fr_1fr_minmax(8rem,1fr)]">
      <span className="col-span-3 sm:col-span-1">
        <span className="font-mono font-semibold wrap-anywhere">{model.id}</span>
        {kindText(model) === null ? null : <span className="block text-13 text-muted">{kindText(model)}</span>}
        {model.demo === true ? <span className="block text-13 text-muted">{t("models.demo")}</span> : null}
      </span>
      <span title={context === undefined ? undefined : `${exact(context)} tokens per request`}>
        {t("models.context.of", { context: context === undefined ? unknownFigure : contextTokens(context) })}
      </span>
      <span>{t("models.slots.of", { slots: model.slots ?? unknownFigure })}</span>
      <span className="justify-self-end text-right" title={view?.reason}>
        {view === null ? "" : stateText(view)}
      </span>
    </li>
  );
}

/** Null for what chats: that is what people expect. */
function kindText({ capabilities }: ListedModel): string | null {
  if (capabilities?.includes("embeddings") === true) return t("models.kind.embeddings");
  return capabilities?.includes("rerank") === true ? t("models.kind.rerank") : null;
}

function stateText(view: ModelView): string {
  const busy = view.slots.filter((slot) => slot.state !== "idle").length;
  return view.state === "ready" && busy > 0 ? t("state.ready.busy", { busy }) : t(`state.${view.state}`);
}

/** Holds the place of one row; the bars come only when the answer is late. */
function Waiting() {
  return (
    <div className="late px-4 pb-3" aria-hidden="true">
      <div className="my-2 h-5 w-60 max-w-full rounded-control bg-sunk" />
    </div>
  );
}

function Empty() {
  return (
    <div className="px-4 pt-1 pb-4">
      <p>{t("models.empty")}</p>
      <div className="mt-2 flex items-center justify-between gap-2 rounded-control bg-sunk pl-3">
        <code className="min-w-0 py-2 font-mono text-13 wrap-anywhere">{serveCommand}</code>
        <Copy text={serveCommand} label={t("copy.thing", { thing: serveCommand })} compact />
      </div>
      <p className="mt-2 text-13 text-muted">{t("models.empty.or")}</p>
    </div>
  );
}

function Broken({ error, onRetry }: { error: AskError; onRetry: () => void }) {
  return (
    <div className="px-4 pt-1 pb-4">
      <p className="flex items-start gap-2">
        <TriangleAlert size={16} className="mt-1 shrink-0 text-fault" aria-hidden="true" />
        {t("models.failed")}
      </p>
      <p className="mt-1 text-muted wrap-anywhere">{error.message}</p>
      {error.requestId === null ? null : (
        <p className="mt-1 text-13 text-muted">
          {t("chat.request", { id: "" })}
          <Command text={error.requestId} />
        </p>
      )}
      <button type="button" className="control mt-3" onClick={onRetry}>
        {t("error.again")}
      </button>
    </div>
  );
}
