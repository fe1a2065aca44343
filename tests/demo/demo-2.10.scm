; SPDX-License-Identifier: GPL-3.0-or-later
; GIMP 2.10: the droplets of leaf.jpg onto plaster.png.
; (geometry-transfer-demo INPUT OUTPUT PRESET), folders without a last slash.

(define (geometry-transfer-demo input output preset)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE (string-append input "/plaster.png") "plaster.png")))
         (target (car (gimp-image-get-active-layer image)))
         (source (car (gimp-file-load-layer RUN-NONINTERACTIVE image (string-append input "/leaf.jpg"))))
         (mask (car (gimp-file-load-layer RUN-NONINTERACTIVE image (string-append input "/leaf-mask.png")))))
    (gimp-image-insert-layer image source 0 1)
    (gimp-item-set-name source "leaf")
    ; The selection is the mask's white; the 640 pixel leaf lies so that its droplets come to the plaster's middle.
    (gimp-image-insert-layer image mask 0 1)
    (gimp-layer-set-offsets source -64 40)
    (gimp-layer-set-offsets mask -64 40)
    (gimp-image-select-color image CHANNEL-OP-REPLACE mask '(255 255 255))
    (gimp-image-remove-layer image mask)
    (let ((layer (geometry-transfer image target source (list "preset" preset "show-through" 0.5)))) ; plugin/scripts/2.10
      (gimp-selection-none image)
      (gimp-xcf-save RUN-NONINTERACTIVE image layer (string-append output "/demo.xcf") "demo.xcf")
      (file-png-save-defaults RUN-NONINTERACTIVE image layer (string-append output "/layer.png") "layer.png")
      (file-png-save-defaults RUN-NONINTERACTIVE image (car (gimp-image-flatten image)) (string-append output "/result.png") "result.png"))
    (gimp-image-delete image)))
