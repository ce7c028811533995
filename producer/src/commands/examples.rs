//! Examples for the `--help` of each command.

pub(super) const ENCODE: &str = "\
    Without an option that names an encoder, libx265 is used.\n\
    \n\
    Examples:\n\
    \x20 producer encode films -o out\n\
    \x20 producer encode film.mkv -o out --codec hevc --quality 60";
pub(super) const MERGE: &str = "\
    Without an option that says how video is made, files that are alike are copied, and others are encoded by libx265.\n\
    \n\
    Examples:\n\
    \x20 producer merge part1.mp4 part2.mp4 -o film.mp4\n\
    \x20 producer merge GX010001.MP4 GX020001.MP4 -o ride.mp4 --encoder libx264\n\
    \x20 producer merge --camera DCIM -o recordings";
pub(super) const CHECK: &str = "\
    Nothing is written. The exit code is 1 if a file is damaged.\n\
    \n\
    Examples:\n\
    \x20 producer check films\n\
    \x20 producer check s3://media/films --quick --wait";
pub(super) const SAMPLE: &str = "\
    Without an option that names an encoder, libx265 is used.\n\
    \n\
    Examples:\n\
    \x20 producer sample film.mkv --crf 24\n\
    \x20 producer sample film.mkv --codec av1 --samples 5 --length 10s -o clips";
pub(super) const ENQUEUE: &str = "\
    Examples:\n\
    \x20 producer enqueue films -o /mnt/out --codec hevc\n\
    \x20 producer enqueue films -o out --preset small-av1 --store s3://media --wait";
pub(super) const WATCH: &str = "\
    Examples:\n\
    \x20 producer watch /mnt/in -o /mnt/out --codec av1\n\
    \x20 producer watch s3://media/in -o s3://media/out --preset archive-hevc";
pub(super) const AUTOSCALE: &str = "\
    A monitor must run: it counts the jobs. Only workers that this command has started are ever ended, and only after they\n\
    have drained: no encode is broken off.\n\
    \n\
    Examples:\n\
    \x20 producer autoscale --encoder libx265 --max 4 --start 'worker --name {name} --exit-when-idle 5m --max-jobs 1 --root /mnt'\n\
    \x20 producer autoscale --queue libx264,libx265,any_hevc,copy --name cpu --max 8 \\\n\
    \x20     --start 'docker compose run --rm --detach --name {name} --env WORKER_NAME={name} worker' --stop 'docker stop --time 60 {name}'";
pub(super) const JOBS: &str = "\
    Examples:\n\
    \x20 producer jobs --state failed\n\
    \x20 producer jobs --match 'Season 1/*'";
pub(super) const JOB: &str = "\
    Example:\n\
    \x20 producer job 9c1f3a52";
pub(super) const WHY: &str = "\
    Example:\n\
    \x20 producer why 9c1f3a52";
pub(super) const LOGS: &str = "\
    Example:\n\
    \x20 producer logs 9c1f3a52 --follow";
pub(super) const BATCHES: &str = "\
    Example:\n\
    \x20 producer batches --limit 10";
pub(super) const BATCH: &str = "\
    Example:\n\
    \x20 producer batch 0198d2c4";
pub(super) const DOWNLOAD: &str = "\
    Example:\n\
    \x20 producer download 0198d2c4 out --wait";
pub(super) const CANCEL: &str = "\
    Examples:\n\
    \x20 producer cancel 9c1f3a52\n\
    \x20 producer cancel --batch 0198d2c4";
pub(super) const RETRY: &str = "\
    Examples:\n\
    \x20 producer retry 9c1f3a52\n\
    \x20 producer retry --fault worker";
pub(super) const REPRIORITIZE: &str = "\
    Examples:\n\
    \x20 producer reprioritize 9c1f3a52 9\n\
    \x20 producer reprioritize --batch 0198d2c4 --to 1";
pub(super) const REASSIGN: &str = "\
    Examples:\n\
    \x20 producer reassign 9c1f3a52 gaming-pc\n\
    \x20 producer reassign --worker attic --auto";
pub(super) const PAUSE: &str = "\
    Examples:\n\
    \x20 producer pause --queue hevc_nvenc\n\
    \x20 producer pause --batch 0198d2c4";
pub(super) const RESUME: &str = "\
    Examples:\n\
    \x20 producer resume gaming-pc\n\
    \x20 producer resume --batch 0198d2c4";
pub(super) const DRAIN: &str = "\
    Example:\n\
    \x20 producer drain gaming-pc";
pub(super) const HOURS: &str = "\
    Examples:\n\
    \x20 producer hours gaming-pc 22:00-07:00\n\
    \x20 producer hours gaming-pc --clear";
pub(super) const PRESETS: &str = "\
    Examples:\n\
    \x20 producer presets show web-1080p --ffmpeg film.mkv\n\
    \x20 producer presets new ours.toml --preset archive-hevc --quality 70\n\
    \x20 producer presets import handbrake.json -o ours.toml\n\
    \x20 producer presets save ours --encoder libx265 --crf 22\n\
    \x20 producer presets default ours";
pub(super) const LIBRARY: &str = "\
    Examples:\n\
    \x20 producer library add films /srv/films -o /srv/small --codec hevc --schedule 22:00-07:00\n\
    \x20 producer library show films\n\
    \x20 producer library files films --state failed,unreadable";
pub(super) const HOOKS: &str = "\
    Examples:\n\
    \x20 producer hooks add phone ntfy://our-films\n\
    \x20 producer hooks add ci https://ci.example.org/hook --on batch-done,job-failed --secret-file key\n\
    \x20 producer hooks add tv sonarr://KEY@nas:8989 --on batch-done\n\
    \x20 producer hooks add mail 'smtps://me:PASSWORD@mail.example.org?from=farm@example.org&to=me@example.org'\n\
    \x20 producer hooks test phone";
pub(super) const WORKERS: &str = "\
    Example:\n\
    \x20 producer workers --json";
pub(super) const PLAN: &str = "\
    Example:\n\
    \x20 producer plan --codec hevc films";
pub(super) const SETUP: &str = "\
    Examples:\n\
    \x20 producer setup --store /srv/media            # a folder that all machines have at this path\n\
    \x20 producer setup --store s3://media            # with AWS_ENDPOINT and the other AWS_* variables\n\
    \x20 producer setup add worker attic --root /media\n\
    \x20 producer setup remove attic\n\
    \x20 producer setup --nats nats://farm:4222 --replicas 3   # the streams, on a broker that runs already";
pub(super) const BACKUP: &str = "\
    It needs the rights of the admin, which the machine has on which `producer setup` has made the farm.\n\
    \n\
    Example:\n\
    \x20 producer backup /backups/farm.tar";
pub(super) const RESTORE: &str = "\
    Stop the workers, the monitor and all that enqueues first, and start them afterwards. It needs the rights of the admin.\n\
    \n\
    Examples:\n\
    \x20 producer restore /backups/farm.tar             # on an empty broker\n\
    \x20 producer restore /backups/farm.tar --replace   # gives up what the broker holds";
pub(super) const DOCTOR: &str = "\
    The exit code is 1 if something is wrong.\n\
    \n\
    Examples:\n\
    \x20 producer doctor\n\
    \x20 producer doctor --json";
pub(super) const JOIN: &str = "\
    Example:\n\
    \x20 producer join ffmpeg-easy-1.eyJ…";

pub(super) const UNDO: &str = "\
Examples:
  producer undo 0190a1b2            # all originals of a batch
  producer undo 9c1f3a52 --dry-run  # whether the original of a job can come back";

pub(super) const TRASH: &str = "\
Examples:
  producer trash /media/films              # what is kept, how large it is, and until when
  producer trash --empty 0190a1b2          # remove the originals of a batch for good";

pub(super) const PRESETS_SHOW: &str = "\
Examples:
  producer presets show archive-hevc > ours.toml
  producer presets show web-1080p --ffmpeg film.mkv";
pub(super) const PRESETS_NEW: &str = "\
Example:
  producer presets new ours.toml --preset archive-hevc --quality 70";
pub(super) const PRESETS_IMPORT: &str = "\
Example:
  producer presets import handbrake.json -o ours.toml";
pub(super) const PRESETS_SCHEMA: &str = "\
Example:
  producer presets schema > recipe.schema.json";
pub(super) const PRESETS_SAVE: &str = "\
Examples:
  producer presets save ours --encoder libx265 --crf 22
  producer presets save ours --codec av1 --quality 60 --overwrite --note \"for films\"";
pub(super) const PRESETS_REMOVE: &str = "\
Example:
  producer presets remove ours";
pub(super) const PRESETS_DEFAULT: &str = "\
Examples:
  producer presets default ours
  producer presets default --none";
pub(super) const HOOKS_ADD: &str = "\
Examples:
  producer hooks add phone ntfy://our-films
  producer hooks add ci https://ci.example.org/hook --on batch-done,job-failed --secret-file key";
pub(super) const HOOKS_LIST: &str = "\
Example:
  producer hooks list --json";
pub(super) const HOOKS_REMOVE: &str = "\
Example:
  producer hooks remove phone";
pub(super) const HOOKS_TEST: &str = "\
Example:
  producer hooks test phone";
pub(super) const LIBRARY_ADD: &str = "\
Examples:
  producer library add films /srv/films -o /srv/small --codec hevc --schedule 22:00-07:00
  producer library add shows s3://media/shows --replace --preset archive-hevc --min-saving 10% --dry-run";
pub(super) const LIBRARY_LIST: &str = "\
Example:
  producer library list";
pub(super) const LIBRARY_SHOW: &str = "\
Example:
  producer library show films";
pub(super) const LIBRARY_FILES: &str = "\
Example:
  producer library files films --state failed,unreadable";
pub(super) const LIBRARY_EDIT: &str = "\
Example:
  producer library edit films --every 1h --exclude 'Extras/**'";
pub(super) const LIBRARY_REMOVE: &str = "\
Example:
  producer library remove films";
pub(super) const LIBRARY_SCAN: &str = "\
Example:
  producer library scan films";
pub(super) const LIBRARY_PAUSE: &str = "\
Example:
  producer library pause films";
pub(super) const LIBRARY_RESUME: &str = "\
Example:
  producer library resume films";
pub(super) const SETUP_ADD: &str = "\
Examples:
  producer setup add worker attic --root /media
  producer setup add worker pool --any    # for machines that come and go
  producer setup add reader grafana";
pub(super) const SETUP_LIST: &str = "\
Example:
  producer setup list";
pub(super) const SETUP_REMOVE: &str = "\
Example:
  producer setup remove attic";
pub(super) const SETUP_STOP: &str = "\
Example:
  producer setup stop";
pub(super) const COMPLETIONS: &str = "\
Examples:
  producer completions bash > ~/.local/share/bash-completion/completions/producer
  producer completions fish > ~/.config/fish/completions/producer.fish";
