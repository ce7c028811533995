# Run by rpm; $1 is the number of versions that stay: an upgrade restarts what runs.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  [ "$1" -lt 1 ] || systemctl try-restart ffmpeg-easy-monitor.service ffmpeg-easy-worker.service
fi
