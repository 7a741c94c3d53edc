/** A profile that Berth brings along; the operator's of the same name replaces it. */
export interface ExerciseProfile {
  description: string;
  /** Exercises whose images it has (`berth image build`). */
  exercises: string[];
  /** Enough for it, where a sandbox gets more by default. */
  memoryBytes?: number;
}

const MiB = 1024 ** 2;

const one = (name: string, description: string, memoryBytes = 512 * MiB): ExerciseProfile => ({
  description: `Exercise: ${description}`,
  exercises: [name, "toolbox"],
  memoryBytes,
});

/** By name: `exercises`, and one for each folder of images/exercises that is an exercise. */
export const exerciseProfiles: Record<string, ExerciseProfile> = {
  exercises: {
    description: "All exercises",
    exercises: ["shell", "image-building", "init", "firewall", "vpn", "file-systems", "toolbox"],
  },
  shell: one("shell", "bash, pipes, scripts"),
  "image-building": one("image-building", "a C program in two stages, without network", 1024 * MiB),
  init: one("init", "process 1, signals, zombies, systemd"),
  firewall: one("firewall", "iptables rules and what a client sees of them"),
  vpn: one("vpn", "OpenVPN with a certificate authority, and how to turn somebody out"),
  "file-systems": one("file-systems", "partitions, FAT, ext4 and exFAT, and a deleted file"),
};
