/** How to connect a client: the endpoint, the key, and the lines to paste. Runs in the browser. */
import { Tabs } from "@base-ui/react/tabs";
import type { ListedModel } from "../api/shapes.ts";
import { t } from "../words.ts";
import { AliasPicker } from "./alias-picker.tsx";
import { Command, Copy } from "./copy.tsx";
import { type BoxCertificate, clients, type Snippet } from "./snippets.ts";

interface ConnectProps {
  readonly endpoint: string;
  readonly loopback: boolean;
  /** Null: not encrypted by the box itself. */
  readonly certificate: BoxCertificate | null;
  /** Null: not known yet. */
  readonly keyNeeded: boolean | null;
  readonly models: readonly ListedModel[];
  readonly model: ListedModel | null;
  onPick(alias: string): void;
}

export function Connect({ endpoint, loopback, certificate, keyNeeded, models, model, onPick }: ConnectProps) {
  return (
    <section aria-labelledby="connect" className="panel flex min-w-0 flex-col gap-3 p-4">
      <h2 id="connect" className="font-semibold text-16">
        {t("connect.title")}
      </h2>
      <div>
        <h3 className="text-13 text-muted">{t("connect.endpoint")}</h3>
        <Line text={endpoint} label={t("copy.endpoint")} />
        {keyNeeded === null ? null : (
          <p className="mt-2 text-13 text-muted">
            {keyNeeded ? (
              <>
                {t("connect.key.needed")}
                <Command text="lanthorn keys create <name>" />
              </>
            ) : (
              t("connect.key.none")
            )}
          </p>
        )}
        {loopback ? (
          <p className="mt-1 text-13 text-muted">
            {t("connect.loopback")}
            <Command text="lanthorn serve --lan" />
          </p>
        ) : null}
      </div>
      {certificate === null ? null : <Certificate {...certificate} />}
      {models.length > 1 && model !== null ? <AliasPicker models={models} alias={model.id} onPick={onPick} /> : null}
      {model === null ? (
        <p className="text-muted">{t("connect.empty")}</p>
      ) : (
        <Clients endpoint={endpoint} keyNeeded={keyNeeded ?? true} model={model} />
      )}
    </section>
  );
}

function Certificate({ fingerprint, save }: BoxCertificate) {
  return (
    <div>
      <h3 className="text-13 text-muted">{t("connect.certificate")}</h3>
      <Line text={fingerprint} label={t("copy.thing", { thing: t("connect.certificate") })} />
      <p className="mt-2 text-13 text-muted">
        {t("connect.certificate.why")}
        <Command text={save} />
      </p>
    </div>
  );
}

function Clients({ endpoint, keyNeeded, model }: { endpoint: string; keyNeeded: boolean; model: ListedModel }) {
  const facts = { endpoint, alias: model.id, contextLength: model.context_length ?? null, keyNeeded };
  return (
    <Tabs.Root defaultValue={clients[0]?.id}>
      <Tabs.List aria-label={t("connect.clients")} className="flex flex-wrap gap-x-1 border-line border-b">
        {clients.map((client) => (
          <Tabs.Tab
            key={client.id}
            value={client.id}
            className="-mb-px min-h-11 border-transparent border-b-2 px-2 text-muted data-active:border-ink data-active:font-semibold data-active:text-ink sm:min-h-9"
          >
            {client.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {clients.map((client) => (
        <Tabs.Panel key={client.id} value={client.id} className="pt-3">
          {client.snippets(facts).map((snippet) => (
            <SnippetBlock key={whereText(snippet)} snippet={snippet} />
          ))}
          {client.more === null ? null : (
            <a
              href={client.more}
              target="_blank"
              rel="noreferrer"
              className="inline-flex min-h-11 items-center text-13 text-muted underline underline-offset-4 sm:min-h-9"
            >
              {t("connect.more", { address: client.more.replace("https://", "") })}
            </a>
          )}
        </Tabs.Panel>
      ))}
    </Tabs.Root>
  );
}

function SnippetBlock({ snippet }: { snippet: Snippet }) {
  const where = whereText(snippet);
  return (
    <figure className="mb-3 last:mb-0">
      <figcaption className="flex items-center justify-between gap-2 text-13 text-muted">
        {where}
        <Copy text={snippet.code} label={t("copy.thing", { thing: where })} />
      </figcaption>
      <pre className="rounded-control bg-sunk p-3 font-mono text-13 whitespace-pre-wrap wrap-anywhere">
        {snippet.code}
      </pre>
    </figure>
  );
}

function whereText({ where }: Snippet): string {
  if (where.type === "file") return t("connect.file", { file: where.name });
  return t(where.type === "terminal" ? "connect.shell" : "connect.code");
}

function Line({ text, label }: { text: string; label: string }) {
  return (
    <div className="mt-1 flex items-center justify-between gap-2 rounded-control bg-sunk pl-3">
      <code className="min-w-0 py-2 font-mono text-13 wrap-anywhere sm:text-14">{text}</code>
      <Copy text={text} label={label} />
    </div>
  );
}
