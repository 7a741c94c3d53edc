import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, isAnswer, problemOf } from "../model/problem.js";
import { loadDraft, saveDraft } from "../model/storage.js";
import type { Store } from "../model/store.js";
import type { Problem } from "../model/types.js";
import { usePage, useSignedIn } from "./context.js";

/** The store's value, now and after each change. */
export function useStore<T>(store: Store<T>): T {
  const [, redraw] = useState<object>();
  useLayoutEffect(
    () =>
      store.subscribe(() => {
        redraw({});
      }),
    [store],
  );
  return store.value;
}

/** The time by the server's clock, anew every `everyMs`. */
export function useNow(everyMs = 1000): number {
  const { api } = useSignedIn();
  const [, redraw] = useState<object>();
  useEffect(() => {
    const timer = setInterval(() => {
      redraw({});
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [everyMs]);
  return api.now();
}

/** Whether somebody can see the page. */
export function useVisible(): boolean {
  const [visible, setVisible] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const look = () => {
      setVisible(document.visibilityState === "visible");
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return visible;
}

const retryMs = 2000;

export interface Polled<T> {
  value: T | undefined;
  /** What the server said no to, last time it was asked. */
  refusal: ApiError | undefined;
  /** Puts in what is known better; answers on their way are old and thrown away. */
  set: (value: T | undefined) => void;
  refresh: () => void;
}

/** Asks the server now and every `everyMs`, while the page is seen; `name` tells lost connections apart. */
export function usePolled<T>(
  name: string,
  ask: (signal: AbortSignal) => Promise<T>,
  everyMs: number,
  isWanted = true,
): Polled<T> {
  const { connection } = usePage();
  const { api, expired } = useSignedIn();
  const visible = useVisible();
  const [answer, setAnswer] = useState<{ value?: T | undefined; refusal?: ApiError }>({});
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (!visible || expired || !isWanted) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = (ms: number) => {
      if (abort.signal.aborted) return;
      timer = setTimeout(() => void poll(), ms);
    };
    const poll = async () => {
      try {
        const value = await latest.current(abort.signal);
        if (abort.signal.aborted) return;
        connection.set(name, true);
        setAnswer({ value });
        next(everyMs);
      } catch (error) {
        if (abort.signal.aborted) return;
        connection.set(name, isAnswer(error));
        if (error instanceof ApiError && isAnswer(error)) {
          setAnswer((before) => ({ ...before, refusal: error }));
        }
        next(isAnswer(error) ? everyMs : retryMs);
      }
    };
    void poll();
    return () => {
      abort.abort();
      clearTimeout(timer);
      connection.forget(name);
    };
  }, [api, name, everyMs, visible, expired, isWanted, turn, connection]);
  const refresh = useCallback(() => {
    setTurn((count) => count + 1);
  }, []);
  const set = useCallback((value: T | undefined) => {
    setAnswer({ value });
    setTurn((count) => count + 1);
  }, []);
  return { value: answer.value, refusal: answer.refusal, set, refresh };
}

export interface Action<A extends unknown[]> {
  run: (...given: A) => void;
  busy: boolean;
  problem: Problem | undefined;
  clear: () => void;
}

/** Something a button does: once at a time, and what went wrong is kept to be shown. */
export function useAction<A extends unknown[]>(act: (...given: A) => Promise<void>): Action<A> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const isBusy = useRef(false);
  const run = (...given: A) => {
    if (isBusy.current) return;
    isBusy.current = true;
    setBusy(true);
    setProblem(undefined);
    act(...given)
      .catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 401) setProblem(problemOf(error));
        else setProblem(signedOutMeanwhile);
      })
      .finally(() => {
        isBusy.current = false;
        setBusy(false);
      });
  };
  const clear = () => {
    setProblem(undefined);
  };
  return { run, busy, problem, clear };
}

const signedOutMeanwhile: Problem = {
  title: "Not done yet",
  detail: "You were signed out. Sign in, then press the button again.",
  code: "",
};

/** The values of a form, kept over a reload and over a sign-in in between. */
export function useDraft<T extends Record<string, string>>(form: string, empty: T) {
  const [draft, setDraft] = useState<T>(() => ({ ...empty, ...loadDraft<T>(form) }));
  const set = (name: keyof T, value: string) => {
    setDraft((before) => {
      const after = { ...before, [name]: value };
      saveDraft(form, after);
      return after;
    });
  };
  const reset = (values: T) => {
    saveDraft(form, values);
    setDraft(values);
  };
  return [draft, set, reset] as const;
}
