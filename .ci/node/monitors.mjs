// Validates the Prometheus operator's objects among those on standard input (a JSON array).
import * as kinds from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { readFileSync } from "node:fs";

const objects = JSON.parse(readFileSync(0, "utf8")).filter((object) => object.apiVersion.startsWith("monitoring.coreos.com/"));
for (const object of objects) {
  new kinds[object.kind](object).validate();
}
console.log(`${objects.length} objects of the Prometheus operator are valid`);
