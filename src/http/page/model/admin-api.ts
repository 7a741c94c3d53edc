import type { Api } from "./api.js";
import type { AddedUser, Group, Host, HostEvent, Image, User } from "./admin-types.js";
import type { Profile, Role } from "./types.js";

/** What the API has for admins. */
export class AdminApi {
  constructor(private readonly api: Api) {}

  async users(signal?: AbortSignal): Promise<User[]> {
    return (await this.api.json<{ users: User[] }>("/v1/users", { signal })).users;
  }

  addUser(body: { name: string; role: Role; groups?: string[] }): Promise<AddedUser> {
    return this.api.json("/v1/users", { method: "POST", body });
  }

  changeUser(name: string, body: { role?: Role; groups?: string[] }): Promise<User> {
    return this.api.json(path(name), { method: "PATCH", body });
  }

  async removeUser(name: string): Promise<void> {
    await this.api.ask(path(name), { method: "DELETE", timeoutMs: 120_000 });
  }

  async groups(signal?: AbortSignal): Promise<Group[]> {
    return (await this.api.json<{ groups: Group[] }>("/v1/groups", { signal })).groups;
  }

  host(signal?: AbortSignal): Promise<Host> {
    return this.api.json("/v1/host", { signal });
  }

  async events(limit: number, signal?: AbortSignal): Promise<HostEvent[]> {
    const url = `/v1/events?limit=${limit}`;
    return (await this.api.json<{ events: HostEvent[] }>(url, { signal })).events;
  }

  eventStream(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.api.stream("/v1/events/stream", signal);
  }

  async images(signal?: AbortSignal): Promise<Image[]> {
    return (await this.api.json<{ images: Image[] }>("/v1/images", { signal })).images;
  }

  async profiles(signal?: AbortSignal): Promise<Profile[]> {
    return (await this.api.json<{ profiles: Profile[] }>("/v1/profiles", { signal })).profiles;
  }
}

const path = (name: string) => `/v1/users/${encodeURIComponent(name)}`;
