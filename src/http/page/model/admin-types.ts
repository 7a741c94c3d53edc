// What only admins are told: the types of the API's own description.

import type { components } from "../../../lib/api/schema.js";

type Schemas = components["schemas"];

export type User = Schemas["User"];

export type AddedUser = Schemas["AddedUser"];

export type Group = Schemas["Group"];

/** The host: what it has, what is used, and what the sandboxes' limits promise together. */
export type Host = Schemas["Host"];

export type HostEvent = Schemas["HostEvent"];

export type Images = Schemas["ImageList"];

export type Image = Images["images"][number];

export type ImageBuild = Schemas["ImageBuild"];
