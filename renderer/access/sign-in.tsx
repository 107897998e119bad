/** One field that takes a key and trades it for a session. The key stays in no storage and no address. Runs in the browser. */
import { TriangleAlert } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { isUnreached } from "../api/ask.ts";
import { useSignIn, useSignOut } from "../api/queries.ts";
import { Command } from "../connect/copy.tsx";
import { t } from "../words.ts";

/** `anybody`: the box let nobody in without a key; `admin`: only the live state is missing. */
export function SignIn({ whom }: { whom: "anybody" | "admin" }) {
  const signIn = useSignIn();
  const [key, setKey] = useState("");
  const field = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() === "") return;
    signIn.mutate(key, { onSuccess: () => setKey("") });
  };
  return (
    <form onSubmit={submit} className="panel mt-2 max-w-140 p-4" aria-label={t("sign.title")}>
      <label htmlFor={field} className="font-semibold">
        {t("sign.key")}
      </label>
      <div className="mt-1 flex flex-wrap gap-2">
        <input
          id={field}
          className="field min-w-0 flex-1 basis-60 font-mono"
          type="password"
          autoComplete="current-password"
          autoCapitalize="none"
          spellCheck={false}
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <button type="submit" className="control control-primary" disabled={signIn.isPending || key.trim() === ""}>
          {t(signIn.isPending ? "sign.doing" : "sign.do")}
        </button>
      </div>
      <p role="alert" className="mt-2 flex items-start gap-2 empty:hidden">
        {signIn.error ? (
          <>
            <TriangleAlert size={16} className="mt-1 shrink-0 text-fault" aria-hidden="true" />
            {isUnreached(signIn.error) ? t("sign.unreachable") : signIn.error.message}
          </>
        ) : null}
      </p>
      {whom === "anybody" ? (
        <>
          <p className="mt-3 text-13 text-muted">
            {t("sign.member")}
            <Command text="lanthorn keys create <name>" />
          </p>
          <p className="mt-1 text-13 text-muted">
            {t("sign.lost")}
            <Command text="lanthorn keys reset-admin" />
          </p>
        </>
      ) : (
        <p className="mt-3 text-13 text-muted">
          {t("sign.admin")}
          <Command text="lanthorn keys reset-admin" />
        </p>
      )}
    </form>
  );
}

export function SignOut() {
  const signOut = useSignOut();
  return (
    <button
      type="button"
      className="min-h-11 underline underline-offset-4 sm:min-h-9"
      disabled={signOut.isPending}
      onClick={() => signOut.mutate()}
    >
      {t("sign.out")}
    </button>
  );
}
