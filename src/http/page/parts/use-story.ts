import { useEffect, useRef, useState } from "preact/hooks";
import { follow } from "../model/follow.js";
import { ApiError, isPassing } from "../model/problem.js";
import { freshStory, isOver, told, type Story } from "../model/story.js";
import { usePage, useSignedIn } from "./context.js";
import { useVisible } from "./hooks.js";

export interface Following {
  story: Story;
  /** The server knows no events of it. */
  isUnknown: boolean;
}

/**
 * A sandbox's story, followed while the page is seen (a browser opens few connections to a host, and a
 * hidden tab needs none) and over lost connections; the server tells it from the start each time.
 */
export function useStory(id: string, onState: () => void): Following {
  const { connection } = usePage();
  const { api, expired } = useSignedIn();
  const visible = useVisible();
  const [following, setFollowing] = useState({ story: freshStory(), isUnknown: false });
  const tell = useRef(onState);
  tell.current = onState;
  const over = isOver(following.story);
  useEffect(() => {
    if (!visible || expired || over) return;
    const abort = new AbortController();
    const asker = `events of ${id}`;
    let story = freshStory();
    follow({
      open: (signal) => {
        story = freshStory();
        return api.events(id, signal);
      },
      take: (event) => {
        story = told(story, event);
        setFollowing({ story, isUnknown: false });
        if (event.event !== "step") tell.current();
        return isOver(story);
      },
      isFinal: (error) => !isPassing(error),
      onConnected: (connected) => {
        connection.set(asker, connected);
      },
      signal: abort.signal,
    }).catch((error: unknown) => {
      const isUnknown = error instanceof ApiError && error.status === 404;
      if (isUnknown) setFollowing((before) => ({ ...before, isUnknown }));
      tell.current();
    });
    return () => {
      abort.abort();
      connection.forget(asker);
    };
  }, [api, id, visible, expired, over, connection]);
  return following;
}
