/** The one page: what this box is and serves, a chat to try it, how to connect. Runs in the browser. */
import { useState } from "react";
import { SignIn, SignOut } from "./access/sign-in.tsx";
import { AskError, isUnreached } from "./api/ask.ts";
import { useLiveEvents } from "./api/live.ts";
import { useBoxState, useContact, useKeyNeeded, useModels, useVersion } from "./api/queries.ts";
import type { ListedModel } from "./api/shapes.ts";
import { ChatPanel } from "./chat/chat-panel.tsx";
import { useChat } from "./chat/use-chat.ts";
import { Connect } from "./connect/connect.tsx";
import { certificateOf, endpointOf, isLoopback } from "./connect/snippets.ts";
import { useTabLamp } from "./lamp/lamp.tsx";
import { LiveState } from "./now/live-state.tsx";
import { Models } from "./now/models.tsx";
import { verdict as judge } from "./now/verdict.ts";
import { VerdictLine } from "./now/verdict-line.tsx";
import { Strip } from "./strip/strip.tsx";
import { t } from "./words.ts";

export function Page() {
  const contact = useContact();
  const models = useModels();
  const state = useBoxState();
  const version = useVersion();
  const loopback = isLoopback(location.hostname);
  const keyNeeded = useKeyNeeded(loopback && contact.type === "live");
  const chat = useChat();
  const [picked, pick] = useState<string | null>(null);
  const stale = contact.type === "gone";
  useLiveEvents(state.isSuccess && !stale);

  const list = models.data ?? null;
  const box = state.data ?? null;
  const failure = models.error instanceof AskError && !isUnreached(models.error) ? models.error : null;
  const verdict = judge({
    contact,
    models: list,
    modelsFailed: list === null && failure !== null,
    state: box,
    answeringYou: chat.running,
  });
  const name = box?.box?.name ?? t("box.name");
  useTabLamp(verdict.lamp, `${verdict.phrase} · ${name}`);

  // From elsewhere the box lets nobody in without a key; on the box itself it depends, so it was asked.
  const keyNeeds = loopback ? (keyNeeded.data ?? null) : true;
  const chatModels = (list ?? []).filter(({ capabilities }) => capabilities?.includes("chat") ?? true);
  const model = pickedModel(chatModels, picked);
  const endpoint = endpointOf(location.origin);
  return (
    <>
      {contact.type === "locked" ? null : (
        <a href="#chat" className="control absolute top-1 left-1 z-10 not-focus:sr-only">
          {t("skip.chat")}
        </a>
      )}
      <Strip name={name} verdict={verdict} endpoint={endpoint} />
      <main className="mx-auto flex max-w-300 flex-col gap-4 px-4 pt-5 pb-6 sm:px-6">
        <VerdictLine verdict={verdict} />
        {contact.type === "locked" ? (
          <SignIn whom="anybody" />
        ) : (
          <>
            <LiveState state={box} stale={stale} refused={state.isError && !isUnreached(state.error)} />
            <Models models={list} error={failure} state={box} stale={stale} onRetry={() => void models.refetch()} />
            <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,7fr)_minmax(0,5fr)]">
              <ChatPanel
                chat={chat}
                known={list !== null || failure !== null}
                models={chatModels}
                model={model}
                onPick={pick}
              />
              <Connect
                endpoint={endpoint}
                loopback={loopback}
                certificate={location.protocol === "https:" ? certificateOf(version.data, location.host) : null}
                keyNeeded={keyNeeds}
                models={chatModels}
                model={model}
                onPick={pick}
              />
            </div>
          </>
        )}
      </main>
      <footer className="mx-auto flex max-w-300 flex-wrap items-center gap-x-4 px-4 pb-6 text-13 text-muted sm:px-6">
        {version.data === undefined ? t("box.name") : t("foot.version", { version: version.data.version })}
        {state.isSuccess || (models.isSuccess && keyNeeds === true) ? <SignOut /> : null}
      </footer>
    </>
  );
}

/** The one that was picked while it is there; else a real model before the demo. */
function pickedModel(models: readonly ListedModel[], picked: string | null): ListedModel | null {
  return (
    models.find((model) => model.id === picked) ?? models.find((model) => model.demo !== true) ?? models[0] ?? null
  );
}
