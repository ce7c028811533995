# Run by rpm; $1 is the number of versions that stay.
if [ "$1" -lt 1 ] && [ -d /run/systemd/system ]; then
  systemctl disable --now ffmpeg-easy-worker.service ffmpeg-easy-monitor.service ffmpeg-easy-broker.service
fi
