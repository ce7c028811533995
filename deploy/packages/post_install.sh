# Run by rpm. Makes the user of the services, which are not started: each needs a farm first.
systemd-sysusers ffmpeg-easy.conf >/dev/null 2>&1 ||
  getent passwd ffmpeg-easy >/dev/null ||
  useradd --system --home-dir /var/lib/ffmpeg-easy --no-create-home --shell /usr/sbin/nologin ffmpeg-easy
# `producer setup` writes the farm's file and keys there as this user. The services themselves cannot.
chown ffmpeg-easy:ffmpeg-easy /etc/ffmpeg-easy
chmod 0750 /etc/ffmpeg-easy
[ ! -d /run/systemd/system ] || systemctl daemon-reload
