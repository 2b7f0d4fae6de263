const ZERO = 0x30;

/** An integer of the last decimal place as an exact number, without trailing zeros: `decimal(1500n, 3)` is `1.5`. */
export function decimal(units: bigint, places: number): string {
  if (units < 0n) return `-${decimal(-units, places)}`;
  const digits = units.toString().padStart(places + 1, '0');
  const point = digits.length - places;
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === ZERO) end--;
  const whole = digits.slice(0, point);
  return end === point ? whole : `${whole}.${digits.slice(point, end)}`;
}
