import { z } from "zod";
import {
  allLimits,
  groupsSchema,
  proxyAddress,
  publicUrl,
  signInSchema,
  someLimits,
} from "./config-access.js";
import { duration, size } from "./lib/contract/sandbox.js";
import { egressModes, isolations, uidsPerSandbox } from "./lib/model.js";

// Every key of the configuration, with its default as an operator would write it and the words that
// explain it: the sample file, the manual page and the table in docs/configuration.md are made of these.

const port = z.int().min(1).max(65_535);

/** `20000-20499` or {from, to}; both ends are included. */
const portRange = z
  .union([
    z
      .string()
      .regex(/^\d+-\d+$/, "must look like 20000-20499")
      .transform((text) => {
        const [from, to] = text.split("-").map(Number);
        return { from, to };
      }),
    z.strictObject({ from: port, to: port }),
  ])
  .pipe(z.object({ from: port, to: port }))
  .refine(({ from, to }) => from <= to, "must not end before it starts");

/** The kernel knows no bound below one. */
const iops = z.int().min(1).max(10_000_000).optional();

/** With less an engine would take minutes to start; the kernel knows no bound of nothing. */
const bandwidth = size.refine(
  (bytes) => bytes >= 1024 ** 2,
  "must be at least 1M; leave it out for no bound",
);

/** Every reap asks the engine and the kernel about all sandboxes. */
const reapInterval = duration.refine(
  (ms) => ms >= 10_000 && ms <= 86_400_000,
  "must be from 10s to 1d",
);

/** IPv4 address or network. */
const network = z.union([z.cidrv4(), z.ipv4()]);

export const profile = z.strictObject({
  description: z.string().max(200).default("").meta({
    description: "What `berth whoami` and the page say of it.",
    example: "For the databases course",
  }),
  isolation: z.enum(isolations).default("userns").meta({
    description:
      "How its sandboxes are held: `userns` as root of a user namespace, `privileged` as real root, for trusted users only.",
  }),
  ttl: duration
    .optional()
    .meta({ description: "How long its sandboxes live.", absent: "ttl.default", example: "4h" }),
  limits: someLimits("limits.default").default({}).meta({ description: "What its sandboxes get." }),
  images: z
    .array(
      z
        .string()
        .min(1)
        .max(400)
        .regex(/^\S+$/, "must be an image reference or an absolute path, without spaces"),
    )
    .max(64)
    .default([])
    .meta({
      description:
        "Images that its sandboxes have from the start: references (the host's engine is asked, then a registry), absolute paths of `docker save` files and OCI layouts, names of exercises. Build them with `berth image build PROFILE`; see docs/preload.md.",
      example: ["postgres:17", "redis:8"],
    }),
  egress: z.enum(egressModes).default("open").meta({
    description:
      "Where its sandboxes may open connections to: `open` the Internet, `none` nothing, `list` what egressTo names (and DNS).",
  }),
  egressTo: z
    .array(network)
    .max(256)
    .default([])
    .meta({
      description: "For egress `list`: addresses and networks, private ones too.",
      example: ["203.0.113.7", "192.0.2.0/24"],
    }),
  devices: z
    .array(
      z
        .string()
        .regex(/^\/dev\/(?!.*\.\.)[a-zA-Z0-9/_.-]+$/, "must be a path below /dev")
        // Who may write to one may detach it (LOOP_CLR_FD asks for no capability), and then has
        // under the same node whatever the host attaches next: another sandbox's disk.
        .refine(
          (path) => !/\/loop[^/]*$/.test(path),
          "is a loop device, whose holder can swap what is behind it; give a file instead",
        ),
    )
    .max(32)
    .default([])
    .meta({
      description:
        "Device nodes of the host that its sandboxes get; no loop devices (docs/security.md says why).",
      example: ["/dev/kvm"],
    }),
});

const listen = z.strictObject({
  host: z.string().default("127.0.0.1").meta({ description: "Address of page and API." }),
  port: port.default(8420).meta({ description: "TCP port of page and API." }),
  tls: z
    .union([
      z.strictObject({
        cert: z
          .string()
          .meta({ description: "PEM file of the certificate.", example: "/etc/berth/cert.pem" }),
        key: z
          .string()
          .meta({ description: "PEM file of its key.", example: "/etc/berth/key.pem" }),
      }),
      z.literal("self"),
    ])
    .optional()
    .meta({
      description:
        "HTTPS, by these files, or by a certificate that Berth makes with `tls: self`: its fingerprint is in the log and in `berth doctor`.",
      absent: "HTTP",
    }),
  plainHttp: z.boolean().default(false).meta({
    description: "Must be true to serve without TLS on an address that is not loopback.",
  }),
  proxies: z
    .array(proxyAddress)
    .default([])
    .meta({
      description:
        "Addresses of reverse proxies whose X-Forwarded-For, -Proto and -Host are believed; those of signIn.proxy.from are as well.",
      example: ["127.0.0.1"],
    }),
});

export const configSchema = z.strictObject({
  listen: listen.prefault({}).meta({ description: "How page and API are served." }),
  publicUrl: publicUrl.optional().meta({
    description: "Where browsers reach page and API when a reverse proxy stands in between.",
    absent: "the address that listen comes to",
    example: "https://berth.example.edu",
  }),
  signIn: signInSchema
    .prefault({})
    .meta({ description: "How people sign in on the page; see docs/sign-in.md." }),
  publicHosts: z
    .array(z.string().min(1).max(253))
    .min(1)
    .optional()
    .meta({
      description:
        "Names and addresses that clients dial; the first stands in bundles, all in server certificates.",
      absent: "the address of the default route",
      example: ["docker.example.edu"],
    }),
  ports: z
    .strictObject({
      engine: portRange
        .prefault("20000-20999")
        .meta({ description: "One port per sandbox, for its engine." }),
      user: portRange
        .prefault("21000-30999")
        .meta({ description: "A block per sandbox for published ports, forwarded 1:1." }),
      perSandbox: z
        .int()
        .min(1)
        .max(1000)
        .default(10)
        .meta({ description: "How many ports are in that block." }),
    })
    .prefault({})
    .meta({ description: "Host ports that lead into sandboxes." }),
  network: z
    .strictObject({
      pool: z.cidrv4().default("10.210.0.0/16").meta({
        description:
          "IPv4 networks of sandboxes: the upper half is the bridge that all share, from the lower half those with a network of their own (`privileged`) are cut.",
      }),
      allowPrivate: z
        .array(network)
        .max(256)
        .default([])
        .meta({
          description:
            "Private networks and addresses that sandboxes may reach all the same: a registry, a licence server.",
          example: ["10.0.5.20"],
        }),
    })
    .prefault({})
    .meta({ description: "The sandboxes' networks." }),
  dns: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .optional()
    .meta({
      description: "Resolvers of the sandboxes; loopback ones cannot be reached from inside.",
      absent: "the host's that a sandbox can reach",
      example: ["192.0.2.53"],
    }),
  limits: z
    .strictObject({
      default: allLimits({ memory: "1G", cpus: 1.5, pids: 512, disk: "10G" }).meta({
        description: "What a sandbox gets unless asked otherwise.",
      }),
      max: allLimits({ memory: "16G", cpus: 16, pids: 8192, disk: "200G" }).meta({
        description: "What `create` and `resize` may ask for at most.",
      }),
    })
    .prefault({})
    .meta({ description: "Limits of each sandbox." }),
  io: z
    .strictObject({
      read: bandwidth.optional().meta({
        description: "Bytes read per second, 1M or more.",
        absent: "no bound",
        example: "200M",
      }),
      write: bandwidth.optional().meta({
        description: "Bytes written per second, 1M or more.",
        absent: "no bound",
        example: "100M",
      }),
      readIops: iops.meta({
        description: "Reads per second.",
        absent: "no bound",
        example: 5000,
      }),
      writeIops: iops.meta({
        description: "Writes per second.",
        absent: "no bound",
        example: 2000,
      }),
    })
    .prefault({})
    .meta({
      description:
        "What all sandboxes of one user together may read from the disk below dataDir and write to it; for hosts with cgroup v2.",
    }),
  ttl: z
    .strictObject({
      default: duration
        .prefault("24h")
        .meta({ description: "What a sandbox gets unless asked otherwise." }),
      max: duration.prefault("7d").meta({
        description: "The most that `create` may ask for and `extend` may bring from now.",
      }),
    })
    .prefault({})
    .meta({ description: "How long sandboxes live." }),
  reapEvery: reapInterval.prefault("1m").meta({
    description:
      "How often the daemon removes what has expired and repairs what disagrees, 10s to 1d; `berth reap` does so at once.",
  }),
  sandboxesPerUser: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .meta({ description: "How many sandboxes a user may have at once." }),
  groups: groupsSchema.default({}).meta({
    description:
      "What members of a group may have instead of limits.max, ttl.max and the rest; of several groups the larger counts.",
    entry: "students",
  }),
  profiles: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and -"),
      profile,
    )
    .default({})
    .meta({
      description:
        "Sets of defaults under a name, for `create --profile`. There are `default`, `empty` and those of the exercises without a word here; one of the same name replaces them.",
      entry: "databases",
    }),
  allowPrivileged: z.boolean().default(false).meta({
    description:
      "Whether profiles may have the isolation `privileged`, whose users can become root on the host.",
  }),
  subordinateUids: z
    .strictObject({
      from: z.int().min(65_536).default(0x40000000).meta({ description: "The first uid." }),
      to: z.int().max(0xfffffffe).default(0x7fffffff).meta({ description: "The last uid." }),
    })
    .prefault({})
    .refine(
      ({ from, to }) => to - from >= uidsPerSandbox - 1,
      `must hold at least ${uidsPerSandbox} uids`,
    )
    .meta({
      description:
        "Host uids for user namespaces, 65,536 for each sandbox; nobody else may have them (/etc/subuid, another Berth on this host).",
    }),
  image: z
    .strictObject({
      base: z.string().optional().meta({
        description: "Build the dind image on this one by a Dockerfile, which needs a registry.",
        absent: "a Debian root made by mmdebstrap",
        example: "debian:trixie-slim",
      }),
      mirror: z.url().optional().meta({
        description: "Debian mirror for mmdebstrap.",
        absent: "the machine's own",
        example: "http://deb.example.org/debian",
      }),
    })
    .prefault({})
    .meta({ description: "The image that sandboxes start from." }),
  engine: z
    .strictObject({
      socket: z
        .string()
        .startsWith("/")
        .default("/run/docker.sock")
        .meta({ description: "The host's Docker Engine." }),
      startTimeout: duration
        .prefault("60s")
        .meta({ description: "How long a sandbox's dockerd may take to answer." }),
    })
    .prefault({})
    .meta({ description: "Docker Engines: the host's, and those of the sandboxes." }),
  keyPool: z.int().min(0).max(1000).default(12).meta({
    description: "RSA keys generated ahead; a creation takes one, each bundle another.",
  }),
  dataDir: z.string().startsWith("/").default("/var/lib/berth").meta({
    description:
      "Records of sandboxes, their disks, users, preloads, and the key that signs certificates.",
  }),
  runDir: z
    .string()
    .startsWith("/")
    .max(80)
    .default("/run/berth")
    .meta({ description: "Socket and mounts; emptied by a reboot." }),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error"])
    .default("info")
    .meta({ description: "What the daemon's log tells." }),
});
